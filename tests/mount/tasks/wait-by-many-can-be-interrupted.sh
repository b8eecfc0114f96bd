#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: of several scripts that wait for one disk only the first could be stopped, or the
# others would not get the outcome.
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

# waits PID: it sleeps in a read or an fsync of the mount
waits()
{
    grep -Eqs 'fuse|request_wait' "/proc/$1/wchan" "/proc/$1/stack"
}

# wait_behind OUT COMMAND...: start a waiter in the background
wait_behind()
{
    waiter_out=$1
    shift
    env --default-signal=HUP,INT,QUIT,TERM "$@" >"$waiter_out" 2>&1 &
    kill_later $!
    wait_until 20 waits $!
}

syncs='' cats='' doomed='' timeouts=''
for i in 1 2 3 4; do
    wait_behind "$tmp/sync$i" sync "$mnt/tasks/d/wait"
    syncs="$syncs $!"
    wait_behind "$tmp/cat$i" cat "$mnt/tasks/d/wait"
    cats="$cats $!"
    wait_behind "$tmp/doomed$i" sync "$mnt/tasks/d/wait"
    doomed="$doomed $!"
    wait_behind "$tmp/doomed$i" cat "$mnt/tasks/d/wait"
    doomed="$doomed $!"
done

# Several threads wait by one open file.
"$python" -I -S -c 'import os, sys, threading
fd = os.open(sys.argv[1], os.O_RDONLY)
told = []
threads = [threading.Thread(target=lambda: told.append(os.pread(fd, 100, 0))) for _ in range(3)]
threads.append(threading.Thread(target=lambda: told.append(os.fsync(fd))))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(told))' "$mnt/tasks/d/wait" >"$tmp/one" 2>&1 &
one=$!
kill_later "$one"

all_threads_wait()
{
    [ "$(grep -El 'fuse|request_wait' "/proc/$one/task"/*/stack | wc -l)" = 4 ]
}
wait_until 20 all_threads_wait

began=$(date +%s%N)
for i in 1 2 3 4; do
    behind timeout 0.5 sync "$mnt/tasks/d/wait"
    timeouts="$timeouts $!"
    behind timeout 0.5 cat "$mnt/tasks/d/wait"
    timeouts="$timeouts $!"
done
for pid in $timeouts; do
    ends_with 124 "$pid" "timeout"
done
[ $(($(date +%s%N) - began)) -lt $((5000000000 * patience)) ] ||
    fail "eight timeouts of 0.5 s took too long"

# Stop the latest waiters first. Each must end before the next one is stopped.
signal=INT
for pid in $(echo "$doomed" | tr ' ' '\n' | tac); do
    began=$(date +%s%N)
    kill "-$signal" "$pid"
    wait_until 10 has_ended "$pid"
    [ $(($(date +%s%N) - began)) -lt $((2000000000 * patience)) ] ||
        fail "SIG$signal ended a waiter too late"
    wait "$pid" 2>/dev/null && fail "exit status 0 after SIG$signal"
    case $signal in
        INT) signal=TERM ;;
        TERM) signal=KILL ;;
        *) signal=INT ;;
    esac
done
for pid in $maker $syncs $cats $one; do
    has_ended "$pid" && fail "one has ended that was not stopped"
done
expect "running 1" "$(cat "$mnt/tasks/d/state" "$mnt/tasks/d/cancelable" | paste -sd ' ')" \
    "the task"

thaw
ends_with 0 "$maker" "the maker"
for pid in $syncs $cats $one; do
    ends_with 0 "$pid" "a waiter"
done
expect completed "$(cat "$tmp"/cat* | sort -u)" "their verdicts"
expect 4 "$(cat "$tmp/one")" "threads with a verdict"
expect "" "$(cat "$tmp"/sync* "$tmp"/doomed*)" "what else was said"
