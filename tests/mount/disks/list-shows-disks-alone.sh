#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: folders, symlinks and other files would look like disks, and a user could delete
# them as such.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

mkdir -p "$store/folder.vhd" "$store/sub"
start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
cp "$store/d.vhd" "$store/sub/deep.vhd"
cp "$store/d.vhd" "$store/d.vhd.bak"
cp "$store/d.vhd" "$store/vhd"
cp "$store/d.vhd" "$store/dvhd"
cp "$store/d.vhd" "$store/e.vhdx"
cp "$store/d.vhd" "$store/.vhdfs-mine.vhd"
ln -s d.vhd "$store/link.vhd"
ln -s nowhere "$store/broken.vhd"
mkfifo "$store/fifo.vhd"
touch "$store/notes.txt"

expect d "$(ls -A "$mnt/disks")" "the disks"
for name in folder sub deep link broken fifo e vhd .vhdfs-mine .vhdfs-lock .vhdfs-lock.vhd notes.txt sub/deep; do
    [ ! -e "$mnt/disks/$name" ] || fail "disks/$name is there"
    rmdir "$mnt/disks/$name" 2>/dev/null && fail "disks/$name can be deleted"
done
expect 0 "$(value "$mnt/disks/d/info" children)" "children, with a FIFO in the store"
[ -p "$store/fifo.vhd" ] || fail "the FIFO is gone"
[ -d "$store/folder.vhd" ] || fail "the folder is gone"
[ -f "$store/.vhdfs-mine.vhd" ] || fail "our own file is gone"
