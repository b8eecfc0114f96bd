#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: the records of ended tasks would take more and more memory, or vhdfs would forget
# the latest instead of the oldest.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs history=3
for name in a b c; do
    echo 40 >"$mnt/new/$name" || fail "cannot make $name"
done
expect "a b c" "$(names "$mnt/tasks")" "three records"
echo 2 2>/dev/null >"$mnt/new/d"
expect "b c d" "$(names "$mnt/tasks")" "after the fourth"

# The latest request of a name decides its age.
rmdir "$mnt/disks/b"
echo 40 >"$mnt/new/b" || fail "cannot make b again"
echo 40 >"$mnt/new/e" || fail "cannot make e"
expect "b d e" "$(names "$mnt/tasks")" "after the sixth"
[ ! -e "$mnt/new/c" ] || fail "new/c is still there"
[ ! -L "$mnt/disks/c/task" ] || fail "disks/c/task is still there"
expect "a b c e" "$(names "$mnt/disks")" "the disks"
expect 4 "$(find "$mnt/disks" -name size | wc -l)" "sizes that can be read"
i=0
while [ $i -lt 40 ]; do
    echo 2 2>/dev/null >"$mnt/new/n$i"
    i=$((i + 1))
done
expect "n37 n38 n39" "$(names "$mnt/tasks")" "after forty more"
stop_vhdfs

start_vhdfs history=1
answer "$mnt/new/x" 2 "$mnt/new/y" 2 >"$tmp/answer"
expect y "$(ls "$mnt/tasks")" "the only record"
