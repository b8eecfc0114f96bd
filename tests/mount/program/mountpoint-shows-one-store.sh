#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a second vhdfs would hide the tree of the first, and requests for one store would
# go to another.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
mkdir "$tmp/other"
ln -s mnt "$tmp/link"
for path in "$mnt" "$mnt/" "$tmp/link"; do
    got=0
    timeout 20 "$VHDFS" "$tmp/other" "$path" 2>"$tmp/said" || got=$?
    expect 1 "$got" "exit status of a second vhdfs on $path"
    grep -qF "\"$mnt\" already shows the store \"$store\"" "$tmp/said" ||
        fail "it does not say which store is there: $(cat "$tmp/said")"
    expect 1 "$(grep -c " $mnt fuse" /proc/self/mounts)" "mounts on $mnt"
done
expect "" "$(names "$tmp/other")" "the other store"
stop_vhdfs
start_vhdfs
