#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: vhdfs would not start with closed streams or in a deleted folder, or a failed
# start would leave files behind.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

mkdir "$tmp/gone"
cd "$tmp/gone" || exit
rmdir "$tmp/gone"
"$VHDFS" "$store" "$mnt" -o "pidfile=$tmp/pid" 0<&- 1>&- 2>&- || fail "exit status $?"
daemon=$(cat "$tmp/pid")
end_later "$daemon"
echo 40 >"$mnt/new/d" || fail "cannot make a disk"
kill "$daemon"
wait_until 20 has_ended "$daemon"
is_not_mounted "$mnt" || fail "it is still mounted"
rm -rf "$store"
rmdir "$mnt"

# From a deleted folder a relative path fails, with a message.
got=0
"$VHDFS" store "$mnt" 2>"$tmp/said" || got=$?
expect 1 "$got" "exit status with a relative path"
grep -q "\"store\" is: the current folder is gone" "$tmp/said" ||
    fail "it does not say why: $(cat "$tmp/said")"

# wrong STATUS ARGUMENT...
wrong()
{
    wanted=$1
    shift
    got=0
    "$VHDFS" "$@" 2>"$tmp/said" || got=$?
    expect "$wanted" "$got" "exit status of: vhdfs $*"
    for left in "$store" "$mnt" "$tmp/pid"; do
        [ ! -e "$left" ] || fail "$left is left by: vhdfs $*"
    done
}
cd "$tmp" || exit
wrong 1 "$store" "$mnt" -o "pidfile=$tmp/missing/pid"
wrong 1 "$store" "$mnt" -o "pidfile=$tmp"
wrong 2 "$tmp/missing/store" "$mnt" -o "pidfile=$tmp/pid"
