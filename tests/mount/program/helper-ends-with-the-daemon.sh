#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: each mount would leave a process behind, until nobody could start any.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

is_named()
{
    read -r comm <"/proc/$helper/comm"
    [ "$comm" = vhdfs-helper ]
}

# started: set $helper and $born to the pid and the start time of the helper
started()
{
    start_vhdfs "$@"
    helper=$(children_of "$daemon")
    # shellcheck disable=SC2086 # words
    set -- $helper
    expect 1 $# "children of the daemon"
    born=$(birth "$helper")
    wait_until 10 is_named # after its fork
    undo "kill_same KILL $helper $born"
}

helper_is_gone()
{
    is_over "$helper" "$born"
}

for options in history=5 ro; do
    started $options
    umount "$mnt" || fusermount3 -u "$mnt" || fail "cannot unmount"
    daemon_ends
    wait_until 20 helper_is_gone
done
for signal in TERM INT HUP; do
    started
    kill "-$signal" "$daemon"
    daemon_ends
    wait_until 20 helper_is_gone
done

# After a lazy unmount, both stay until the last file is closed.
started
exec 3<"$mnt/version"
kill "$daemon"
wait_until 20 is_not_mounted "$mnt"
has_ended "$daemon" && fail "it has ended while a file is open"
helper_is_gone && fail "the helper has ended while a file is open"
expect "vhdfs $VERSION" "$(head -n 1 <&3)" "what an open file shows"
exec 3<&-
daemon_ends
wait_until 20 helper_is_gone

# SIGKILL and SIGABRT for the daemon, and two signals to end.
for signal in KILL ABRT; do
    started
    kill "-$signal" "$daemon"
    wait_until 20 has_ended "$daemon"
    wait_until 20 helper_is_gone
    is_not_mounted "$mnt" || fail "still mounted"
    [ ! -e "$tmp/pid" ] || fail "the pid file is still there"
    ls "$mnt" >/dev/null || fail "the mount point is dead"
done
started
exec 3<"$mnt/version"
kill "$daemon"
wait_until 20 is_not_mounted "$mnt"
kill "$daemon"
wait_until 20 has_ended "$daemon"
exec 3<&-
wait_until 20 helper_is_gone
[ ! -e "$tmp/pid" ] || fail "the pid file is still there after a second signal"

# Signals of a terminal reach the helper too, but do not end it.
started
kill -TERM "$helper"
kill -INT "$helper"
kill -HUP "$helper"
kill -KILL "$daemon"
wait_until 20 has_ended "$daemon"
wait_until 20 helper_is_gone
is_not_mounted "$mnt" || fail "still mounted: the helper had gone before"
