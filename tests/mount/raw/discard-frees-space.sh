#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a disk would only ever grow, even after its files are deleted.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
enter_own_mounts "$@"

need_command mkfs.ext4 fstrim blkdiscard
mkdir "$tmp/in"
start_vhdfs
make_disk d 512
mkfs.ext4 -q "$raw" || fail "mkfs.ext4: exit status $?"
loop_device "$raw"
undo "umount '$tmp/in' 2>/dev/null"
small=$(allocated d)

# fill: write a file of 64 MB to the disk; image and host grow by as much.
fill()
{
    mount "$@" "$loop" "$tmp/in" || fail "cannot mount the disk"
    dd if=/dev/urandom of="$tmp/in/file" bs=1M count=64 conv=fsync status=none ||
        fail "cannot fill the disk"
    [ "$(allocated d)" -ge $((small + 30)) ] || fail "allocated: $(allocated d), before $small"
    [ "$(host_blocks "$store/d.vhd")" -ge 60000 ] ||
        fail "the image takes $(host_blocks "$store/d.vhd") KiB"
}

# is_small: nearly nothing of the file is left. Since 5.17 Linux discards in a worker after the
# commit, so "sync -f" has not waited for it.
is_small()
{
    [ "$(allocated d)" -le $((small + 4)) ] && [ "$(host_blocks "$store/d.vhd")" -lt 16384 ]
}

fill -o discard
rm "$tmp/in/file"
sync -f "$tmp/in"
wait_until 20 is_small
umount "$tmp/in"

fill -o nodiscard
rm "$tmp/in/file"
sync -f "$tmp/in"
[ "$(host_blocks "$store/d.vhd")" -ge 60000 ] || fail "space was given back without being asked"
fstrim "$tmp/in" || fail "fstrim: exit status $?"
is_small || fail "fstrim: allocated $(allocated d), the image takes $(host_blocks "$store/d.vhd") KiB"
umount "$tmp/in"

blkdiscard -f "$loop" || fail "blkdiscard: exit status $?"
expect 0 "$(allocated d)" "allocated after blkdiscard"
# The open disk may have made slots ahead for its 256 blocks. Each takes 4 KiB for a bitmap.
[ "$(host_blocks "$store/d.vhd")" -le 1088 ] || fail "$(host_blocks "$store/d.vhd") KiB remain"
cmp -n $((512 << 20)) "$raw" /dev/zero || fail "what was discarded does not read as zeros"

# fallocate zeroes a range, and it then gets new content.
dd if=/dev/urandom of="$raw" bs=1M count=8 conv=notrunc status=none
blkdiscard -f -z "$loop" || fail "blkdiscard -z: exit status $?"
cmp -n $((512 << 20)) "$raw" /dev/zero || fail "what was zeroed does not read as zeros"
expect 0 "$(allocated d)" "allocated after blkdiscard -z"
noise 8000000 1 >"$tmp/bytes"
dd if="$tmp/bytes" of="$raw" bs=1M conv=notrunc status=none
cmp -n 8000000 "$tmp/bytes" "$raw" || fail "space that was given back does not hold what it got"

# After the close all space is free.
blkdiscard -f "$loop" || fail "blkdiscard: exit status $?"
losetup -d "$loop" || fail "cannot detach the loop device"
is_empty()
{
    [ "$(host_blocks "$store/d.vhd")" -le 64 ]
}
wait_until 20 is_empty
