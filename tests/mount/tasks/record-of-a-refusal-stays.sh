#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a script could not look up later why its request was refused, or a refusal would
# replace the record of an existing disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
answer "$mnt/new/d" 2 >"$tmp/answer"
expect failed "$(cat "$mnt/tasks/d/state")" "state"
expect ERANGE "$(cat "$mnt/tasks/d/errno")" "errno"
expect create "$(cat "$mnt/tasks/d/operation")" "operation"
expect failed "$(value "$mnt/new/d" state)" "state in new/d"
expect "" "$(ls "$mnt/new")" "requests at work"
first=$(cat "$mnt/tasks/d/id")

# The latest refusal is kept.
answer "$mnt/new/d" bad >"$tmp/answer"
expect EINVAL "$(cat "$mnt/tasks/d/errno")" "errno of the second"
[ "$(cat "$mnt/tasks/d/id")" -gt "$first" ] || fail "the id is that of the first"
echo 40 >"$mnt/new/d" || fail "cannot make d"
expect completed "$(cat "$mnt/tasks/d/state")" "state of the third"
third=$(cat "$mnt/tasks/d/id")

# An existing disk keeps its own record, also if the write is refused.
answer "$mnt/new/d" 50 >"$tmp/answer"
expect "completed $third" "$(cat "$mnt/tasks/d/state" "$mnt/tasks/d/id" | paste -sd ' ')" \
    "after a second open"
"$python" -I -S -c 'import os, sys
new, disks = sys.argv[1] + "/new/e", sys.argv[1] + "/disks/e"
late = os.open(new, os.O_WRONLY | os.O_CREAT)
os.write(os.open(new, os.O_WRONLY | os.O_CREAT), b"40")
try:
    os.write(late, b"50")
except FileExistsError:
    sys.exit(0)
sys.exit("FAILED: made twice")' "$mnt" || exit 1
expect completed "$(cat "$mnt/tasks/e/state")" "state of e after a late write"
grep -q ' new/e EEXIST ' "$mnt/errors" || fail "errors does not tell of the late write"

# A disk from another program has no record, and a refusal makes none.
cp "$store/d.vhd" "$store/foreign.vhd"
answer "$mnt/new/foreign" 40 >"$tmp/answer"
[ ! -e "$mnt/tasks/foreign" ] || fail "a record of a disk that was not made here"
[ ! -L "$mnt/disks/foreign/task" ] || fail "a task of a disk that was not made here"

# A request without a write leaves no record.
touch "$mnt/new/x"
answer "$mnt/new/.y" 40 >"$tmp/answer"
expect "d e" "$(names "$mnt/tasks")" "the records"
