#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: images from Windows, "DISK.VHD", would be missing, or two files would be one disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
echo 40 >"$mnt/new/a" || fail "cannot make a"
mv "$store/a.vhd" "$store/a.VHD"
cp "$store/a.VHD" "$store/B.Vhd"
cp "$store/a.VHD" "$store/b.vHD"
cp "$store/a.VHD" "$store/twice.vhd"
cp "$store/a.VHD" "$store/twice.VHD"
cp "$store/a.VHD" "$store/x.vhd.vhd"

expect "B a b twice x.vhd" "$(names "$mnt/disks")" "the disks"
expect "$store/a.VHD" "$(cat "$mnt/disks/a/path")" "path of a"
expect "$store/B.Vhd" "$(cat "$mnt/disks/B/path")" "path of B"
expect "$store/b.vHD" "$(cat "$mnt/disks/b/path")" "path of b"
expect x.vhd "$(value "$mnt/disks/x.vhd/info" name)" "name of x.vhd"
expect "open EEXIST" "$(answer "$mnt/new/b" 40)" "making b"

# Two files differ only in the case of the ending: one is a disk. After its deletion the other is.
first=$(cat "$mnt/disks/twice/path")
rmdir "$mnt/disks/twice" || fail "cannot delete the first"
[ ! -e "$first" ] || fail "$first is still there"
[ "$(cat "$mnt/disks/twice/path")" != "$first" ] || fail "the second is not shown"
rmdir "$mnt/disks/twice" || fail "cannot delete the second"
[ ! -e "$mnt/disks/twice" ] || fail "twice is still there"
rmdir "$mnt/disks/a" || fail "cannot delete a"
expect "" "$(find "$store" -iname 'twice*' -o -iname 'a.*')" "what is left"
