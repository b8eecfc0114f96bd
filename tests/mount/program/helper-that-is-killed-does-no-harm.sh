#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a mount whose helper process was killed, for example by a kernel short of memory,
# would refuse all work and not end cleanly.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

# started: start vhdfs and kill its helper
started()
{
    start_vhdfs
    helper=$(children_of "$daemon")
    kill -KILL "$helper"
    wait_until 20 has_ended "$helper"
}

started
echo 40 >"$mnt/new/d" || fail "cannot make d"
expect 40 "$(cat "$mnt/disks/d/size")" "size"
rmdir "$mnt/disks/d" || fail "cannot delete d"
umount "$mnt" || fusermount3 -u "$mnt" || fail "cannot unmount"
daemon_ends

for signal in TERM INT; do
    started
    kill "-$signal" "$daemon"
    daemon_ends
    ls "$mnt" >/dev/null || fail "the mount point is dead"
done
