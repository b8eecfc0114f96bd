#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a mount whose helper process was killed, for example by a kernel short of memory,
# would refuse all work and not end cleanly.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

# started WHO: start vhdfs and kill that process of its helper, the watcher or the worker
started()
{
    start_vhdfs
    find_helper
    case $1 in
    watcher) set -- "$watcher" ;;
    worker) set -- "$worker" ;;
    both) set -- "$watcher" "$worker" ;;
    esac
    kill -KILL "$@"
    for killed; do
        wait_until 20 has_ended "$killed"
    done
}

for process in watcher worker both; do
    started $process
    echo 40 >"$mnt/new/d" || fail "cannot make d, after a kill of $process"
    expect 40 "$(cat "$mnt/disks/d/size")" "size"
    rmdir "$mnt/disks/d" || fail "cannot delete d"
    umount "$mnt" || fusermount3 -u "$mnt" || fail "cannot unmount"
    if [ $process = both ]; then
        wait_until 20 has_ended "$daemon"
        rm "$tmp/pid" || fail "the pid file is gone: who removed it?"
    else
        daemon_ends
    fi
done

for process in watcher worker; do
    for signal in TERM INT; do
        started $process
        kill "-$signal" "$daemon"
        daemon_ends
        ls "$mnt" >/dev/null || fail "the mount point is dead"
    done
    # Another worker or the old one notices the daemon's death.
    started $process
    kill -KILL "$daemon"
    wait_until 20 is_not_mounted "$mnt"
    wait_until 20 [ ! -e "$tmp/pid" ]
done

# Without a helper, the confined daemon unmounts nothing. Its disks are synced, and it serves on.
started both
kill "$daemon"
sleep 1
has_ended "$daemon" && fail "it has ended, and left a dead mount"
umount "$mnt" || fusermount3 -u "$mnt" || fail "cannot unmount"
wait_until 20 has_ended "$daemon"
