#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: after a folder above the mount point is renamed, vhdfs would leave a dead mount at
# its end.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

mkdir "$tmp/a folder"
mnt="$tmp/a folder/mnt"
"$VHDFS" "$store" "$mnt" -o "pidfile=$tmp/pid" || fail "exit status $?"
daemon=$(cat "$tmp/pid")
undo "kill -KILL $daemon 2>/dev/null; umount -l '$tmp/another one/mnt' 2>/dev/null"
mv "$tmp/a folder" "$tmp/another one" || skip "needs to rename a folder above a mount"
kill -TERM "$daemon"
wait_until 20 has_ended "$daemon"
grep -q "vhdfs-test.*another" /proc/self/mounts && fail "it is still mounted"
[ ! -e "$tmp/pid" ] || fail "the pid file is still there"
