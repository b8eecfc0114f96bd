#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a vhdfs whose parent has closed its standard streams would lose its store, and the
# lock that keeps out a second vhdfs.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

"$VHDFS" "$store" "$mnt" -o "pidfile=$tmp/pid" 0<&- 1>&- 2>&- || fail "exit status $?"
undo "end_daemon $(cat "$tmp/pid") '$mnt'"
echo 40 >"$mnt/new/d" || fail "cannot make a disk"
expect "d" "$(ls "$mnt/disks")" "the disks"
got=0
"$VHDFS" "$store" "$tmp/other" 2>/dev/null || got=$?
expect 2 "$got" "exit status of a second vhdfs on the store"
