#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: nobody could stop a waiting script, not even by SIGKILL.
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

# ended SIGNAL COMMAND...
ended()
{
    signal=$1
    shift
    behind env --default-signal=HUP,INT,QUIT,TERM "$@"
    waiter=$!
    # The process now sleeps in a read or an fsync of the mount.
    wait_until 20 grep -Eq 'fuse|request_wait' "/proc/$waiter/wchan" "/proc/$waiter/stack"
    kill "-$signal" "$waiter"
    wait_until 10 has_ended "$waiter"
    wait "$waiter" 2>/dev/null && fail "exit status 0 of $* after SIG$signal"
}

for signal in INT TERM KILL QUIT HUP; do
    ended "$signal" cat "$mnt/tasks/d/wait"
    ended "$signal" sync "$mnt/tasks/d/wait"
done
has_ended "$maker" && fail "the maker has ended"
expect "running 1" "$(cat "$mnt/tasks/d/state" "$mnt/tasks/d/cancelable" | paste -sd ' ')" \
    "the task"
thaw
ends_with 0 "$maker" "the maker"
[ -d "$mnt/disks/d" ] || fail "no disk"
