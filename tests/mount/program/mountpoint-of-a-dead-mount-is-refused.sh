#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: after a crash the user would read "Transport endpoint is not connected", and not
# the advice to unmount first.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

enter_own_mounts "$@"
need_command umount

# refused STATUS STORE MOUNTPOINT
refused()
{
    got=0
    timeout 20 "$VHDFS" "$2" "$3" 2>"$tmp/said" || got=$?
    expect "$1" "$got" "exit status of: vhdfs $2 $3: $(cat "$tmp/said")"
    grep -qF "umount $mnt (or fusermount3 -u $mnt)" "$tmp/said" ||
        fail "it does not say what to do: $(cat "$tmp/said")"
}

# Kill the daemon, and the helper that would remove the mount.
start_vhdfs
ls "$mnt/disks" >/dev/null # the kernel caches its root
find_helper
kill -KILL "$watcher" "$worker" "$daemon" || fail "cannot kill them"
wait_until 20 has_ended "$daemon"
is_mounted "$mnt" || fail "the dead mount is gone"

refused 32 "$store" "$mnt"
refused 32 "$store" "$mnt/disks"
refused 2 "$mnt" "$tmp/other"
refused 2 "$mnt/store" "$tmp/other"
umount "$mnt" || fail "cannot unmount what is dead"
rm -f "$tmp/pid"
start_vhdfs
