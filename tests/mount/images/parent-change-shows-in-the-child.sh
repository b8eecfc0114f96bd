#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: after another program has changed a parent, its child would show old pages of the
# kernel.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command qemu-io
start_vhdfs
make_disk parent 8
"$python" -I -S "$here/child.py" "$store/parent.vhd" "$store/child.vhd" || fail "cannot make a child"
child=$mnt/disks/child

# byte_of FILE: the byte that QEMU wrote
byte_of()
{
    dd if="$child/$1" bs=4096 skip=768 count=1 status=none | od -An -tu1 -N 1 | tr -d ' '
}

# Each file of the child may be opened first, and may stay open.
for byte in 1 2 3 4; do
    wait_until 5 qemu-io -f vpc -c "write -P $byte 3M 4096" "$store/parent.vhd" >"$tmp/said" 2>&1
    case $byte in
        1 | 3) exec 3<"$child/fixed.vhd" ;;
        2) exec 3<"$child/raw" ;;
        4) exec 3</dev/null ;;
    esac
    expect $byte "$(byte_of raw)" "what raw shows"
    expect $byte "$(byte_of raw)" "what raw shows, opened again"
    expect $byte "$(byte_of fixed.vhd)" "what fixed.vhd shows"
    exec 3<&-
done
