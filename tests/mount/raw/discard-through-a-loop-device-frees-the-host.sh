#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: deleted files of a disk on a loop device would take the host's space for ever, or
# a discard would destroy other files.
#
# Usage: discard-through-a-loop-device-frees-the-host.sh buffered|direct
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
enter_own_mounts "$@"
need_command mkfs.ext4 fsck.ext4 fstrim blkdiscard
direct=off
[ "$1" != direct ] || direct=on
mkdir "$tmp/in"
start_vhdfs
make_disk d 256
mkfs.ext4 -q "$raw" || fail "mkfs.ext4: status $?"
loop_device --direct-io=$direct "$raw"
mount "$loop" "$tmp/in" || fail "cannot mount it"
undo "umount '$tmp/in' 2>/dev/null"
noise 4000000 1 >"$tmp/kept"
for number in 1 2 3 4; do
    dd if=/dev/urandom of="$tmp/in/big$number" bs=1M count=16 status=none
    cp "$tmp/kept" "$tmp/in/kept$number"
done
sync -f "$tmp/in/big1"
full=$(host_blocks "$store/d.vhd")
rm "$tmp"/in/big?
sync -f "$tmp/in"
fstrim "$tmp/in" || fail "fstrim: status $?"
left=$(host_blocks "$store/d.vhd")
[ $((full - left)) -gt 50000 ] || fail "fstrim frees $((full - left)) KiB of 65536"
for number in 1 2 3 4; do
    same_bytes "$tmp/kept" "$tmp/in/kept$number" "a file that was not deleted"
done
umount "$tmp/in"
fsck.ext4 -fn "$loop" >"$tmp/said" 2>&1 || fail "fsck.ext4: $(cat "$tmp/said")"
blkdiscard -f -o 1048576 -l $((100 << 20)) "$loop" || fail "blkdiscard of a part: status $?"
cmp -n $((100 << 20)) -i $((1 << 20)):0 "$raw" /dev/zero || fail "a part that was discarded"
blkdiscard -f "$loop" || fail "blkdiscard: status $?"
cmp -n $((256 << 20)) "$raw" /dev/zero || fail "what was discarded is not zeros"
cmp -n $((256 << 20)) "$loop" /dev/zero || fail "what was discarded is not zeros on $loop"
losetup -d "$loop"
stop_vhdfs
[ "$(host_blocks "$store/d.vhd")" -le 256 ] || fail "$(host_blocks "$store/d.vhd") KiB are left"
