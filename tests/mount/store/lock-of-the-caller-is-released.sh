#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a script that holds a lock while it mounts would hold it as long as the mount
# lasts. The next script would wait for ever.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command flock
: >"$tmp/0"
for fd in 0 1 2 3 9; do
    : >"$tmp/lock"
    rm -f "$tmp/pid"
    (
        eval "exec $fd<>'$tmp/lock'"
        flock $fd
        "$VHDFS" "$store" "$mnt" -o "pidfile=$tmp/pid"
    ) || fail "exit status $? with a lock held by descriptor $fd"
    daemon=$(cat "$tmp/pid")
    end_later "$daemon"
    wait_until 10 flock -n "$tmp/lock" true # the helper lets go right after its fork
    for pid in $daemon $(children_of "$daemon"); do
        find "/proc/$pid/fd" -lname "$tmp/lock" | grep -q . &&
            fail "process $pid, $(cat "/proc/$pid/comm"), holds descriptor $fd of its caller"
    done
    kill "$daemon"
    wait_until 20 has_ended "$daemon"
done

# In the foreground it keeps only the three standard streams.
(
    exec 9<>"$tmp/lock"
    flock 9
    exec "$VHDFS" "$store" "$mnt" -f -o "pidfile=$tmp/pid" 2>"$tmp/log"
) &
daemon=$!
kill_later "$daemon"
end_later "$daemon"
wait_until 20 is_ready "$daemon"
flock -n "$tmp/lock" true || fail "the lock is held in the foreground"
kill "$daemon"
ends_with 0 "$daemon" "vhdfs -f"
