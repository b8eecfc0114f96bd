#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: Ctrl-C on `echo > new/d` in the shell named by the argument would not bring the
# prompt back, or it would leave an unwanted disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/frozen.sh
. "$(dirname "$0")/../frozen.sh"

shell=$1
need_command "$shell"
words=$(words_of "$shell")
start_vhdfs
freeze

# Shells that ignore SIGQUIT do not get it.
signals="INT TERM HUP KILL"
$words -c 'kill -QUIT $$; exit 1' 2>/dev/null
[ $? = 1 ] || signals="$signals QUIT"

for signal in $signals; do
    # shellcheck disable=SC2086
    behind env --default-signal=HUP,INT,QUIT,TERM $words -c "echo 40 > $mnt/new/$signal" 2>/dev/null
    maker=$!
    wait_until 20 runs "$signal"
    kill "-$signal" "$maker"
    wait_until 10 has_ended "$maker"
    wait "$maker" 2>/dev/null && fail "$shell: exit status 0 after SIG$signal"
    wait_until 10 grep -q " new/$signal ECANCELED E_ABORT " "$mnt/errors"
    expect 0 "$(cat "$mnt/tasks/$signal/cancelable")" "cancelable after SIG$signal"
done

thaw
for signal in $signals; do
    wait_until 20 is_in cancelled "$signal"
    expect ECANCELED "$(cat "$mnt/tasks/$signal/errno")" "errno after SIG$signal"
done
expect ".vhdfs-lock" "$(ls -A "$store")" "the store"
$words -c "echo 40 > $mnt/new/INT" || fail "the disk cannot be made afterwards"
