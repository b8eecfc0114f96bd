#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: nobody could delete a disk, or rmdir would delete more than that disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
for name in a b c d e; do
    echo 40 >"$mnt/new/$name" || fail "cannot make $name"
done
cp "$store/a.vhd" "$store/foreign.vhd"
first=$(cat "$mnt/tasks/a/id")

rmdir "$mnt/disks/a" || fail "cannot delete a"
[ ! -e "$store/a.vhd" ] || fail "the image of a is still there"
[ ! -e "$mnt/disks/a" ] || fail "disks/a is still there"
expect "b c d e foreign" "$(names "$mnt/disks")" "the disks"
expect "completed $first" "$(cat "$mnt/tasks/a/state" "$mnt/tasks/a/id" | paste -sd ' ')" \
    "the record of a"
rmdir "$mnt/disks/a" 2>/dev/null && fail "a can be deleted twice"
rmdir "$mnt/disks/never" 2>/dev/null && fail "what never was can be deleted"

rmdir "$mnt/disks/foreign" "$mnt/disks/b" || fail "cannot delete two at once"
(cd "$mnt/disks/c" && rmdir "$mnt/disks/c" && ! ls . >/dev/null 2>&1) ||
    fail "cannot delete c from within"

# The refusal to delete a file inside counts only for the process that tried it.
rm "$mnt/disks/d/info" 2>/dev/null && fail "info can be deleted"
rmdir "$mnt/disks/d" || fail "cannot delete d after a refused rm"
rmdir "$mnt"/disks/* || fail "cannot delete what is left"
expect "" "$(ls -A "$mnt/disks")" "the disks"
expect ".vhdfs-lock" "$(ls -A "$store")" "the store"
expect disks/d/info "$(cut -d ' ' -f 2 "$mnt/errors")" "where was refused"
