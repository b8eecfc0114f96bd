#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a few dozen waiting scripts would stop the whole mount.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/frozen.sh
. "$(dirname "$0")/../frozen.sh"

start_vhdfs
echo 40 >"$mnt/new/before" || fail "cannot make a disk"
freeze
makers=
for i in 01 02 03 04 05 06 07 08 09 10 11 12; do
    behind sh -c "echo 40 > '$mnt/new/d$i'" 2>/dev/null
    makers="$makers $!"
done
for i in 01 02 03 04 05 06 07 08 09 10 11 12; do
    wait_until 20 test -e "$mnt/tasks/d$i"
done
wait_until 20 runs d01
waiters=
for i in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    cat "$mnt/tasks/d01/wait" >"$tmp/waiter$i" &
    waiters="$waiters $!"
    kill_later "$!"
done
for i in 01 02 03 04 05 06 07 08 09 10 11 12; do
    runs "d$i" || continue
    behind sync "$mnt/tasks/d$i/wait"
    waiters="$waiters $!"
done
for waiter in $waiters; do
    wait_until 20 grep -Eq 'fuse|request_wait' "/proc/$waiter/wchan" "/proc/$waiter/stack"
done

# each COMMAND...: run it ten times, within ten seconds
each()
{
    within 10 sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do "$@" || exit 1; done' sh "$@" >/dev/null ||
        fail "exit status $? of: $*"
}

each stat "$mnt/version" "$mnt/tasks/d01/status"
each cat "$mnt/version" "$mnt/tasks/d02/status" "$mnt/disks/before/info" "$mnt/errors"
each ls -l "$mnt" "$mnt/new" "$mnt/tasks" "$mnt/disks"
each sh -c "! echo 2 2>/dev/null > '$mnt/new/small'"
each sh -c "! echo 40 2>/dev/null > '$mnt/new/.x'"
each sh -c "! echo 40 2>/dev/null > '$mnt/new/before'"
each touch "$mnt/new/x"
for waiter in $waiters; do
    has_ended "$waiter" && fail "a waiter has ended"
done

# A queued task can be cancelled while the host is frozen.
for i in 01 02 03 04 05 06 07 08 09 10 11 12; do
    [ "$(cat "$mnt/tasks/d$i/state")" = queued ] || continue
    echo 1 >"$mnt/tasks/d$i/cancel" || fail "cannot cancel d$i"
    wait_until 10 is_in cancelled "d$i"
    queued=d$i
    break
done
thaw
failed=0
for pid in $makers; do
    wait_until 20 has_ended "$pid"
    wait "$pid" || failed=$((failed + 1))
done
expect "${queued:+1}" "${failed#0}" "makers that failed"
for waiter in $waiters; do
    ends_with 0 "$waiter" "a waiter"
done
expect completed "$(cat "$tmp"/waiter* | sort -u)" "their verdicts"
expect $((13 - failed)) "$(names "$mnt/disks" | wc -w)" "disks"
