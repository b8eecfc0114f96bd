#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a plain user could not put files on a disk, because only root has loop devices.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

enter_own_mounts "$@"
need_command fuse2fs mkfs.ext4
let_nobody_mount
mkdir "$tmp/home/in"
chown 65534:65534 "$tmp/home/in"

# mount_it: mount vhdfs, and then the disk d by fuse2fs
mount_it()
{
    as_nobody "$tmp/vhdfs" "$store" "$mnt" -o "pidfile=$tmp/home/pid" || fail "vhdfs: status $?"
    daemon=$(cat "$tmp/home/pid")
    end_later "$daemon"
}

mount_disk()
{
    as_nobody fuse2fs -o fakeroot "$mnt/disks/d/raw" "$tmp/home/in" >"$tmp/said" 2>&1 ||
        fail "fuse2fs: $(cat "$tmp/said")"
    wait_until 20 is_mounted "$tmp/home/in"
    undo "umount -l '$tmp/home/in' 2>/dev/null"
}

# unmount_all_of_it: unmount both. fuse2fs still writes for a while after its mount is gone.
unmount_all_of_it()
{
    as_nobody fusermount3 -u "$tmp/home/in" || fail "fusermount3: status $?"
    wait_until 20 as_nobody fusermount3 -q -u "$mnt"
    wait_until 20 has_ended "$daemon"
}

noise 5000000 1 >"$tmp/home/file"
mount_it
as_nobody sh -c "echo 256 >'$mnt/new/d'" || fail "cannot make a disk"
as_nobody mkfs.ext4 -q "$mnt/disks/d/raw" || fail "mkfs.ext4: status $?"
mount_disk
as_nobody cp "$tmp/home/file" "$tmp/home/in/file" || fail "cannot copy to the disk"
as_nobody mkdir "$tmp/home/in/folder" || fail "cannot make a folder"
unmount_all_of_it

mount_it
as_nobody fsck.ext4 -fn "$mnt/disks/d/raw" >"$tmp/said" 2>&1 || fail "fsck: $(cat "$tmp/said")"
mount_disk
as_nobody cat "$tmp/home/in/file" | cmp - "$tmp/home/file" || fail "another file comes back"
as_nobody ls -d "$tmp/home/in/folder" >/dev/null || fail "the folder is gone"
unmount_all_of_it
