#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: the helper of a dead daemon would unmount a later mount that has got the same
# number.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root
release=$(uname -r)
major=${release%%.*}
minor=${release#*.}
[ $((major * 100 + ${minor%%.*})) -ge 608 ] || skip "needs Linux 6.8, which tells such mounts apart"

# number MOUNTPOINT: the id of the mount
number()
{
    awk -v mnt="$1" '$5 == mnt { print $1 }' /proc/self/mountinfo
}

start_vhdfs
first=$(number "$mnt")
find_helper
kill_later "$worker"
kill -STOP "$worker"
kill -KILL "$daemon"
wait_until 20 has_ended "$daemon"
umount -l "$mnt" || fail "cannot unmount what the daemon has left"

start_other "$tmp/other"
[ "$(number "$tmp/mnt2")" = "$first" ] || skip "the second mount has another number than the first"
kill -CONT "$worker"
wait_until 20 has_ended "$worker"
[ -e "$tmp/mnt2/version" ] || fail "the other mount is gone"
