#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a mount could hide its own store, and vhdfs would wait for itself.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

mkdir "$tmp/a" "$tmp/a/b" "$tmp/ab"
ln -s a/b "$tmp/link"

# refused STORE MOUNTPOINT
refused()
{
    got=0
    (cd "$tmp" && within 20 "$VHDFS" "$1" "$2" 2>"$tmp/said") || got=$?
    expect 1 "$got" "exit status of: vhdfs $1 $2"
    [ -s "$tmp/said" ] || fail "it does not say why: vhdfs $1 $2"
    grep " fuse.vhdfs " /proc/self/mounts | grep "$tmp" && fail "mounted: vhdfs $1 $2"
}

refused a a
refused a a/b
refused a/b a
refused a link
refused link a
refused a a/new
refused a/new a
refused "$tmp/a" ./a/../a/b

# A longer name with the same beginning is another folder.
store=$tmp/a
mnt=$tmp/ab
start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
stop_vhdfs
