#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: while the host stands still and one disk is being made, other programs would hang.
# A program that deletes, touches or requests the same name would survive even SIGKILL, and block
# all of new/.
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

# told STATUS COMMAND...: the command ends soon with that status
told()
{
    wanted=$1
    shift
    behind "$@" >"$tmp/said" 2>&1
    told=$!
    wait_until 10 has_ended "$told"
    got=0
    wait "$told" || got=$?
    expect "$wanted" "$got" "exit status of: $*: $(cat "$tmp/said")"
}

told 0 cat "$mnt/new/d"
told 0 ls -l "$mnt/new" "$mnt/new/d"
told 0 chmod 600 "$mnt/new/d"
told 0 touch "$mnt/new/d"
told 1 rm "$mnt/new/d"
grep -q 'resource busy' "$tmp/said" || fail "rm says: $(cat "$tmp/said")"
told 1 mv "$mnt/new/d" "$mnt/new/e"
told 1 rmdir "$mnt/tasks/d"
told 0 ls "$mnt/new"
told 0 touch "$mnt/new/e"
told 2 sh -c "echo 2 > '$mnt/new/d'"

thaw
ends_with 0 "$maker" "the maker"
