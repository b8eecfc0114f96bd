#!/bin/sh
# SPDX-License-Identifier: MIT
# power-loss.sh ext4|xfs
#
# If this failed: on such a file system a power cut would take a disk that had been reported done,
# or leave half a disk under its name. Then the test itself is tested on ext4: with a step left
# out it has to notice. (VHD_POWER makes the disks and takes the power.)
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

type=$1
case $type in
ext4) size=32M options=-q ;;
xfs) size=300M options=-qK ;;
esac
need_root
need_own_mounts
need_file_system "$type"
need_command "mkfs.$type" losetup
[ -e /dev/loop-control ] || skip "needs loop devices"

# In memory, for what is lost here is never in a medium.
mkdir "$tmp/memory" "$tmp/mnt"
mount -t tmpfs none "$tmp/memory" || skip "needs to mount a tmpfs"
undo "umount -l '$tmp/memory'"
truncate -s "$size" "$tmp/memory/volume" || fail "cannot make a volume"
"mkfs.$type" "$options" "$tmp/memory/volume" || fail "mkfs.$type failed"
device=$(losetup -f --show "$tmp/memory/volume") || fail "cannot make a loop device"
undo "losetup -d '$device'"

for way in nameless folder named linkless fixed child; do
    "$VHD_POWER" "$device" "$type" "$tmp/mnt" "$way" || fail "power loss, $way"
done
[ "$type" = ext4 ] || exit 0
for mutation in no-file-sync late-file-sync no-folder-sync; do
    "$VHD_POWER" "$device" "$type" "$tmp/mnt" nameless "$mutation" || fail "$mutation"
done
