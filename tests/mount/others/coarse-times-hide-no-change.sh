#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: in a store whose file system keeps times in seconds, a change by another program
# soon after ours would go unseen.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command qemu-io
loop_mount 64 "$tmp/host" mkfs.ext4 -q -I 128
store=$tmp/host/store
start_vhdfs
make_disk d 8
noise 3000000 1 | dd of="$raw" bs=1M conv=notrunc status=none

for byte in 1 2 3 4 5 6 7 8; do
    wait_until 5 qemu-io -f vpc -c "write -P $byte 4096 4096" "$store/d.vhd" >"$tmp/said" 2>&1
    got=$(dd if="$raw" bs=4096 skip=1 count=1 status=none | od -An -tu1 -N 1)
    expect "$byte" "$((got))" "what is read after QEMU has written it"
    ls -l "$mnt/disks/d" >/dev/null || fail "it cannot be listed"
done

# Many programs look up and open the disk at once. None gets ESTALE.
lookers=
for _ in 1 2 3 4; do
    behind "$python" -I -S -c 'import os, sys
for turn in range(200):
    os.stat(sys.argv[1])
    os.close(os.open(sys.argv[1], os.O_RDONLY))' "$raw"
    lookers="$lookers $!"
done
for looker in $lookers; do
    ends_with 0 "$looker" "who looks and opens"
done
