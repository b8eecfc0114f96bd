#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: with some tool a script would go on although the host refused a disk, or nobody
# could find the reason. The host has no space, no file of that length, or no permission.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root

# refused FOLDER ROW: try this row on a store in that folder
refused()
{
    store=$1
    start_vhdfs
    "$python" -I -S "$here/refusals.py" "$mnt" "$store" "$tmp" "$2" || fail "on $1: $2"
    umount "$mnt" || fail "cannot unmount"
    wait_until 20 has_ended "$daemon"
}

loop_mount 5 "$tmp/small" mkfs.ext4 -q -m 0
refused "$tmp/small/store" 'd|40|ENOSPC|E_DISK_FULL|record'

loop_mount 64 "$tmp/short" mkfs.ext2 -q -b 1024
refused "$tmp/short/store" 'd|2088960|EFBIG|VM_E_FILE_TOO_LARGE_FOR_VOLUME|record'

mkdir "$tmp/locked"
chattr +i "$tmp/locked" 2>/dev/null || skip "needs a file system with immutable files"
undo "chattr -i '$tmp/locked'"
chattr -i "$tmp/locked"
store=$tmp/locked
start_vhdfs
chattr +i "$tmp/locked"
"$python" -I -S "$here/refusals.py" "$mnt" "$store" "$tmp" 'd|40|EACCES|E_ACCESSDENIED|record' ||
    fail "on a folder that takes no files"
umount "$mnt" || fail "cannot unmount"
wait_until 20 has_ended "$daemon"
