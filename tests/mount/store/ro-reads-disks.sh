#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a look at a disk would change a store that must not change, or the store could not
# be read at all.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d
noise 100000 1 >"$tmp/content"
dd if="$tmp/content" of="$raw" conv=notrunc status=none
# The traces of a crash are not repaired either.
exec 3<>"$raw"
echo "written" >&3
kill_vhdfs
exec 3>&-
before=$(cksum "$store/d.vhd" && stat -c %y "$store/d.vhd")
start_vhdfs ro
expect written "$(head -n 1 "$raw")" "the disk"
cmp -i 512 -n 99000 "$tmp/content" "$raw" || fail "the disk holds something else"
cp "$mnt/disks/d/fixed.vhd" "$tmp/fixed.vhd" || fail "fixed.vhd cannot be read"
for how in 'echo x 1<>' ': >' 'echo x >>'; do
    sh -c "$how'$raw'" 2>"$tmp/said" && fail "$how succeeds"
    grep -q 'Read-only file system' "$tmp/said" || fail "$how says: $(cat "$tmp/said")"
done
truncate -s 0 "$raw" 2>/dev/null && fail "truncate succeeds"
expect "$before" "$(cksum "$store/d.vhd" && stat -c %y "$store/d.vhd")" "the image"
stop_vhdfs

# Two read-only mounts share a store and read the same disk.
start_vhdfs ro
start_other "$store" ro
exec 3<"$raw"
same_bytes "$raw" "$tmp/mnt2/disks/d/raw" "the other mount shows another disk"
exec 3<&-
