#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a harmless signal would stop a request in the shell named by the argument. Such a
# signal comes when a background job ends, when the user stops the job, or when a debugger attaches.
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

# begin NAME SCRIPT: run it in the background until it makes NAME; sets $maker
begin()
{
    # shellcheck disable=SC2086
    behind $words -c "$2"
    maker=$!
    wait_until 20 runs "$1"
}

mkfifo "$tmp/go"
begin chld "(read line < $tmp/go) & echo 40 > $mnt/new/chld"
chld=$maker
echo >"$tmp/go"
begin usr1 "trap 'trapped=1' USR1; echo 41 > $mnt/new/usr1 && [ \$trapped = 1 ]"
usr1=$maker
kill -USR1 "$usr1"
begin stop "echo 42 > $mnt/new/stop"
stop=$maker
kill -STOP "$stop"
kill -CONT "$stop"
begin winch "trap : WINCH ALRM; echo 43 > $mnt/new/winch"
winch=$maker
kill -WINCH "$winch"
kill -ALRM "$winch"
if command -v strace >/dev/null; then
    behind strace -qq -o "$tmp/trace" -p "$winch" 2>/dev/null
    wait_until 20 grep -q '^TracerPid:.*[1-9]' "/proc/$winch/status"
fi

# Wait long enough for vhdfs to notice the signals.
timeout 1.5 cat "$mnt/tasks/chld/wait" && fail "it has ended on the frozen host"
for name in chld usr1 stop winch; do
    expect running "$(cat "$mnt/tasks/$name/state")" "state of $name"
    expect 1 "$(cat "$mnt/tasks/$name/cancelable")" "cancelable of $name"
done
thaw
ends_with 0 "$chld" "$shell, after SIGCHLD"
ends_with 0 "$usr1" "$shell, after SIGUSR1"
ends_with 0 "$stop" "$shell, after SIGSTOP and SIGCONT"
ends_with 0 "$winch" "$shell, after SIGWINCH, SIGALRM and strace"
grep ECANCELED "$mnt/errors" && fail "something was cancelled"
expect "40 41 42 43" "$(cat "$mnt/disks/chld/size" "$mnt/disks/usr1/size" "$mnt/disks/stop/size" \
    "$mnt/disks/winch/size" | paste -sd ' ')" "the sizes"
