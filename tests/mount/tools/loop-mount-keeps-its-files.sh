#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: files on a disk that is mounted through a loop device would be lost or damaged.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
enter_own_mounts "$@"

need_command mkfs.ext4 fsck.ext4
mkdir "$tmp/files" "$tmp/in"
for number in 1 2 3 4 5 6 7 8; do
    noise $((number * 300000)) $number >"$tmp/files/$number"
done

# attach OPTION...: mount the disk d on $tmp/in
attach()
{
    loop_device "$@" "$mnt/disks/d/raw"
    mount "$loop" "$tmp/in" || fail "cannot mount the disk"
    undo "umount '$tmp/in' 2>/dev/null"
}

detach()
{
    umount "$tmp/in" || fail "cannot unmount the disk"
    losetup -d "$loop" || fail "cannot detach $loop"
}

for direct in off on; do
    start_vhdfs
    make_disk d 256
    mkfs.ext4 -q "$raw" || fail "mkfs.ext4: exit status $?"
    attach --direct-io=$direct
    cp -r "$tmp/files" "$tmp/in/" || fail "cannot copy to the disk"
    mv "$tmp/in/files/3" "$tmp/in/three"
    dd if="$tmp/files/8" of="$tmp/in/files/8" bs=4096 count=10 conv=notrunc oflag=direct \
        status=none || fail "cannot overwrite a file"
    detach
    fsck.ext4 -fn "$mnt/disks/d/raw" >"$tmp/said" 2>&1 || fail "fsck.ext4: $(cat "$tmp/said")"
    stop_vhdfs

    start_vhdfs
    attach --direct-io=$direct
    mv "$tmp/in/three" "$tmp/in/files/3"
    diff -r "$tmp/files" "$tmp/in/files" || fail "other files after the next mount ($direct)"
    detach
    rmdir "$mnt/disks/d" || fail "the disk is still in use"
    stop_vhdfs
done
