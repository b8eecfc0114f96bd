#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: `vhdfs s m && echo 4096 > m/new/d` would sometimes write into the bare folder.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

i=0
while [ $i -lt 15 ]; do
    "$VHDFS" "$store" "$mnt" -o "pidfile=$tmp/pid" || fail "vhdfs: exit status $?"
    made=0
    sh -c "echo 40 > '$mnt/new/d$i'" || made=$?
    daemon=$(cat "$tmp/pid")
    end_later "$daemon"
    expect 0 "$made" "exit status of making d$i at once"
    [ -f "$store/d$i.vhd" ] || fail "no file for d$i"
    kill "$daemon" || fail "the pid file names no daemon"
    wait_until 20 has_ended "$daemon"
    is_mounted "$mnt" && fail "it is still mounted"
    i=$((i + 1))
done
expect "" "$(ls -A "$mnt")" "what is under the mount point"
expect 15 "$(find "$store" -name 'd*.vhd' | wc -l)" "disks"
