#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user without loop devices could not use the files on a disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
need_root
need_command fuse2fs mkfs.ext4 fsck.ext4
mkdir "$tmp/in"
noise 4000000 1 >"$tmp/file"
start_vhdfs
make_disk d 64
mkfs.ext4 -q "$raw" || fail "mkfs.ext4: status $?"

attach()
{
    fuse2fs "$raw" "$tmp/in" -o "$1" >"$tmp/said" 2>&1 || fail "fuse2fs: $(cat "$tmp/said")"
    undo "umount -l '$tmp/in' 2>/dev/null"
    wait_until 20 is_mounted "$tmp/in"
}

# detach: unmount, and wait until fuse2fs has written the rest.
detach()
{
    umount "$tmp/in" || fail "cannot unmount it"
    wait_until 20 fsck.ext4 -fn "$raw" >"$tmp/said" 2>&1
}

attach rw
mkdir "$tmp/in/folder" || fail "cannot make a folder"
cp "$tmp/file" "$tmp/in/folder/file" || fail "cannot copy a file"
detach
stop_vhdfs
start_vhdfs
attach ro
same_bytes "$tmp/file" "$tmp/in/folder/file" "another file after the next mount"
detach
