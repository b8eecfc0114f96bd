#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: while vhdfs runs, nobody could close the terminal or pipe of its start, or unmount
# its folder.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

mkdir "$tmp/where"
cd "$tmp/where" || exit 1
mkfifo "$tmp/pipe"
timeout $((20 * patience)) cat "$tmp/pipe" >"$tmp/out" &
reader=$!
"$VHDFS" "$store" "$mnt" -o "pidfile=../pid" >"$tmp/pipe" 2>&1 </dev/null || fail "exit status $?"
daemon=$(cat "$tmp/pid")
end_later "$daemon"
ends_with 0 $reader "who reads what vhdfs prints"
expect "" "$(cat "$tmp/out")" "what vhdfs prints"

expect / "$(readlink "/proc/$daemon/cwd")" "its folder"
for fd in 0 1 2; do
    expect /dev/null "$(readlink "/proc/$daemon/fd/$fd")" "its descriptor $fd"
done
# With it, a daemon that was taken over would have the administrator kill another process.
for fd in "/proc/$daemon/fd"/*; do
    case $(readlink "$fd") in */pid) fail "it keeps the pid file open" ;; esac
done
expect "$daemon" "$(cut -d ' ' -f 6 "/proc/$daemon/stat")" "its session"
expect 0 "$(cut -d ' ' -f 7 "/proc/$daemon/stat")" "its terminal"
cd "$tmp" || exit 1
rmdir "$tmp/where" || fail "the folder cannot be removed"
kill "$daemon"
wait_until 20 has_ended "$daemon"
[ ! -e "$tmp/pid" ] || fail "the pid file, named by a relative path, is still there"
