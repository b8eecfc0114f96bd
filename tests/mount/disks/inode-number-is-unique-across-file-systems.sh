#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: two images with one inode number, each on a file system of its own, would look
# like one file. A backup by tar would store the second as a hard link.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root
mkdir "$store" "$tmp/one" "$tmp/two"
for other in one two; do
    mount -t tmpfs none "$tmp/$other" || skip "needs mounts"
    undo "umount -l '$tmp/$other'"
done

start_vhdfs
make_disk here 8
stop_vhdfs
for other in one two; do
    cp "$store/here.vhd" "$tmp/$other/image"
    : >"$store/$other.vhd"
    mount --bind "$tmp/$other/image" "$store/$other.vhd" || fail "cannot bind $other"
    undo "umount -l '$store/$other.vhd'"
done
expect "$(stat -c %i "$store/one.vhd")" "$(stat -c %i "$store/two.vhd")" "inode number on the host"

start_vhdfs
find "$mnt/disks" -printf '%i %p\n' | grep -v '/task$' | sort >"$tmp/before"
expect 40 "$(cut -d ' ' -f 1 "$tmp/before" | uniq | wc -l)" "numbers of three disks"
for name in one two here; do
    expect - "$(value "$mnt/disks/$name/info" fault)" "fault of $name"
    expect 8388608 "$(wc -c <"$mnt/disks/$name/raw")" "bytes of $name"
done
stop_vhdfs
start_vhdfs
for name in two one here; do
    find "$mnt/disks/$name" -printf '%i %p\n'
done | sort >"$tmp/after"
grep -v " $mnt/disks\$" "$tmp/before" | diff - "$tmp/after" >&2 || fail "numbers differ after a remount"
