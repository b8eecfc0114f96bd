#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: the records of ended tasks would pile up, or a script could not start with a clean
# folder.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
for name in a b c d; do
    echo 40 >"$mnt/new/$name" || fail "cannot make $name"
done
echo 2 2>/dev/null >"$mnt/new/e"
echo 2 2>/dev/null >"$mnt/new/f"

rmdir "$mnt/tasks/a" "$mnt/tasks/e" || fail "rmdir tasks/NAME is refused"
rm "$mnt/new/b" "$mnt/new/f" || fail "rm new/NAME is refused"
rm "$mnt/new/c.vhd" || fail "rm new/NAME.vhd is refused"
expect d "$(ls "$mnt/tasks")" "the records"
for name in a b c e f; do
    [ ! -e "$mnt/tasks/$name" ] || fail "tasks/$name is still there"
    [ ! -e "$mnt/new/$name" ] || fail "new/$name is still there"
    [ ! -L "$mnt/disks/$name/task" ] || fail "disks/$name/task is still there"
done
expect "a b c d" "$(names "$mnt/disks")" "the disks"
expect "d" "$(find "$mnt/disks" -name task -printf '%h\n' | sed 's,.*/,,')" "disks with a task"

rmdir "$mnt/tasks/a" 2>/dev/null && fail "a record can be forgotten twice"
rm "$mnt/new/never" 2>/dev/null && fail "what never was can be forgotten"
rm -f "$mnt/new/never" || fail "rm -f fails where there is nothing"

# Its files cannot be removed one by one. A process inside the folder does not prevent rmdir.
rm -r "$mnt/tasks/d" 2>/dev/null && fail "rm -r tasks/NAME has worked"
[ -e "$mnt/tasks/d/state" ] || fail "the record is gone after rm -r"
(cd "$mnt/tasks/d" && rmdir "$mnt/tasks/d" && ! cat state 2>/dev/null) ||
    fail "cannot forget d from within"

# The names are free now.
echo 40 >"$mnt/new/e" || fail "cannot make e"
expect completed "$(cat "$mnt/tasks/e/state")" "state of e"
expect "open EEXIST" "$(answer "$mnt/new/a" 40)" "making a again"
