#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: the tree would show deleted disks, or hide disks that another program put into the
# store.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
echo 40 >"$mnt/new/a" || fail "cannot make a"
echo 50 >"$mnt/new/b" || fail "cannot make b"
id=$(cat "$mnt/disks/a/uuid")

cp "$store/a.vhd" "$store/c.vhd"
expect "a b c" "$(names "$mnt/disks")" "after a copy"
expect "40 $id" "$(cat "$mnt/disks/c/size" "$mnt/disks/c/uuid" | paste -sd ' ')" "the copy"
mv "$store/c.vhd" "$store/d.vhd"
expect "a b d" "$(names "$mnt/disks")" "after a rename"
[ ! -e "$mnt/disks/c" ] || fail "c is still there"
rm "$store/d.vhd"
expect "a b" "$(names "$mnt/disks")" "after a removal"
[ ! -e "$mnt/disks/d" ] || fail "d is still there"

# Another image gets the name. It has another size.
mv "$store/b.vhd" "$store/a.vhd"
expect 50 "$(cat "$mnt/disks/a/size")" "size after it was replaced"
[ "$(cat "$mnt/disks/a/uuid")" != "$id" ] || fail "the uuid is that of the former image"
printf x | poke "$store/a.vhd" $(($(stat -c %s "$store/a.vhd") - 400))
[ "$(value "$mnt/disks/a/info" fault)" != - ] || fail "a fault made behind the back is not seen"
expect "$(stat -c %s "$mnt/disks/a/info")" "$(wc -c <"$mnt/disks/a/info")" "bytes of info"
truncate -s 100 "$store/a.vhd"
expect 100 "$(value "$mnt/disks/a/info" length)" "length after it was cut"

# A program stays in the folder of a disk that disappears.
cd "$mnt/disks/a" || exit 1
rm "$store/a.vhd"
cat info >"$tmp/shown" 2>/dev/null && fail "the info of what is gone: $(cat "$tmp/shown")"
cd / || exit 1
echo 60 >"$mnt/new/a" || fail "cannot make a again"
expect 60 "$(cat "$mnt/disks/a/size")" "size of the new a"
