#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: `vhdfs "$STORE" "$MNT"` with an unset variable would mount over the current
# folder, and hang every program that reads the list of mounts.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

enter_own_mounts "$@"
mkdir "$tmp/here"
cd "$tmp/here" || exit

# refused WORD STORE MOUNTPOINT
refused()
{
    got=0
    timeout -s KILL 10 "$VHDFS" "$2" "$3" 2>"$tmp/said" || got=$?
    expect 1 "$got" "exit status of: vhdfs '$2' '$3'"
    grep -q "$1 is empty" "$tmp/said" || fail "it does not say that $1 is empty: $(cat "$tmp/said")"
    is_mounted "$tmp/here" && fail "it is mounted on the current folder"
}

refused MOUNTPOINT "$store" ""
refused STORE "" "$mnt"
refused STORE "" ""
[ ! -e "$store" ] || fail "the store was made"
[ ! -e "$mnt" ] || fail "the mount point was made"
expect "" "$(names "$tmp/here")" "the current folder"
