#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a script that waits for a disk would go on before the disk exists, or wait for
# ever.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/frozen.sh
. "$(dirname "$0")/../frozen.sh"

start_vhdfs
freeze
make_behind d
maker=$!

# The task is at work.
status=$mnt/tasks/d/status
expect running "$(value "$status" state)" "state"
expect "0x8000000A E_PENDING" "$(value "$status" result)" "result"
expect "- - -" "$(value "$status" errno) $(value "$status" finished) $(value "$status" error)" \
    "errno, finished and error"
expect 1 "$(value "$status" cancelable)" "cancelable"
[ "$(value "$status" percent)" -lt 100 ] || fail "percent is $(value "$status" percent)"
date -d "$(value "$status" started)" >/dev/null || fail "started is $(value "$status" started)"
cmp "$status" "$mnt/new/d" || fail "new/d is not the status"
expect d "$(ls "$mnt/new")" "requests at work"
expect "" "$(ls "$mnt/disks")" "the disks"
names "$mnt/tasks/d" | grep -qw wait && fail "wait is listed"
[ -f "$mnt/tasks/d/wait" ] || fail "wait is not found by name"
expect 10 "$(stat -c %s "$mnt/tasks/d/wait")" "size of wait"

# A wait returns nothing yet, and a timeout can end it.
for command in "cat $mnt/tasks/d/wait" "sync $mnt/tasks/d/wait" "head -c 1 $mnt/tasks/d/wait"; do
    ended=0
    # shellcheck disable=SC2086
    timeout 0.5 $command >"$tmp/shown" || ended=$?
    expect 124 "$ended" "exit status of timeout 0.5 $command"
    expect "" "$(cat "$tmp/shown")" "what was shown"
done
has_ended "$maker" && fail "the writer has not waited"

cat "$mnt/tasks/d/wait" >"$tmp/cat" &
cat=$!
kill_later "$cat"
behind sync "$mnt/tasks/d/wait"
sync=$!
thaw
ends_with 0 "$maker" "the writer"
ends_with 0 "$cat" "cat"
ends_with 0 "$sync" "sync"
expect completed "$(cat "$tmp/cat")" "the verdict for cat"

# The task has ended.
expect "d" "$(ls "$mnt/disks")" "the disks"
expect "" "$(ls "$mnt/new")" "requests at work"
names "$mnt/tasks/d" | grep -qw wait || fail "wait is not listed"
cmp "$status" "$mnt/new/d" || fail "new/d is not the status any more"
expect completed "$(cat "$mnt/tasks/d/state")" "state"
expect 100 "$(tr -d ' ' <"$mnt/tasks/d/percent")" "percent"
expect 0 "$(cat "$mnt/tasks/d/cancelable")" "cancelable"
