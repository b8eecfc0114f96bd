#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: two daemons could work on one store, and undo each other's work.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
touch "$store/.vhdfs-draft-0123456789abcdef"
ln -s store "$tmp/link"
for path in "$store" "$tmp/link" "$tmp/./store/"; do
    for options in rw ro; do
        got=0
        within 20 "$VHDFS" "$path" "$tmp/other" -o "$options,pidfile=$tmp/pid" \
            2>"$tmp/said" || got=$?
        expect 2 "$got" "exit status of a second vhdfs on $path, $options"
        [ -s "$tmp/said" ] || fail "it does not say why"
        is_mounted "$tmp/other" && fail "$path is mounted twice"
    done
done
[ -e "$store/.vhdfs-draft-0123456789abcdef" ] || fail "the refused one has swept the store"
expect "$daemon" "$(cat "$tmp/pid")" "the pid file of the first"
expect 40 "$(cat "$mnt/disks/d/size")" "size of d"
stop_vhdfs

# The lock ends with the daemon, however it ends.
start_vhdfs
kill -KILL "$daemon"
wait_until 20 has_ended "$daemon"
wait_until 20 is_not_mounted "$mnt"
wait_until 20 [ ! -e "$tmp/pid" ]
start_vhdfs
expect 40 "$(cat "$mnt/disks/d/size")" "size of d"
