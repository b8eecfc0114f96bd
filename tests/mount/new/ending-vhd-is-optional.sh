#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user who writes the file's name instead of the disk's would make "d.vhd.vhd",
# not find the disk, or see it twice.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
echo 40 >"$mnt/new/d.vhd" || fail "new/d.vhd is refused"
echo 41 >"$mnt/new/E.VHD" || fail "new/E.VHD is refused"
expect "E.vhd d.vhd" "$(find "$store" -name '*.vhd' -printf '%f\n' | sort | paste -sd ' ')" \
    "the store"

for folder in disks tasks; do
    expect "E d" "$(names "$mnt/$folder")" \
        "what is listed in $folder"
    expect d "$(readlink "$mnt/$folder/d.vhd")" "$folder/d.vhd"
    expect E "$(readlink "$mnt/$folder/E.VHD")" "$folder/E.VHD"
    [ ! -e "$mnt/$folder/x.vhd" ] || fail "$folder/x.vhd is there"
    [ ! -L "$mnt/$folder/x.vhd" ] || fail "$folder/x.vhd is there"
done
expect 40 "$(cat "$mnt/disks/d.vhd/size")" "size through the symlink"
expect completed "$(cat "$mnt/tasks/d.vhd/state")" "state through the symlink"
expect completed "$(value "$mnt/new/d.vhd" state)" "state through new/d.vhd"
expect "open EEXIST" "$(answer "$mnt/new/d.vhd" 40)" "d.vhd again"
expect "open EEXIST" "$(answer "$mnt/new/d" 40)" "d again"

# The symlink is not a disk: rmdir, rm and mv do not work on it.
rmdir "$mnt/disks/d.vhd" 2>/dev/null && fail "the symlink was removed by rmdir"
rm "$mnt/disks/d.vhd" 2>/dev/null && fail "the symlink was removed by rm"
[ -d "$mnt/disks/d" ] || fail "the disk is gone"
