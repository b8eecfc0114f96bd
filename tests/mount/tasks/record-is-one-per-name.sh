#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: disks made and deleted again and again under one name would fill tasks/ with
# unreachable records, and push out all others.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

# In memory, making and deleting a disk is so quick that the two often meet.
[ -w /dev/shm ] || skip "needs /dev/shm"
store=$(mktemp -d /dev/shm/vhdfs-test.XXXXXX) || fail "cannot make the store"
undo "rm -rf '$store'"
start_vhdfs
"$python" -I -S -c 'import os, sys, threading, time
end = time.monotonic() + 3


def make():
    while time.monotonic() < end:
        try:
            fd = os.open(sys.argv[1] + "/new/x", os.O_WRONLY | os.O_CREAT)
            try:
                os.write(fd, b"4")
            finally:
                os.close(fd)
        except OSError:
            pass


def delete():
    while time.monotonic() < end:
        try:
            os.rmdir(sys.argv[1] + "/disks/x")
        except OSError:
            pass


threads = [threading.Thread(target=what) for what in (make, make, make, delete, delete)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()' "$mnt"
expect "" "$(find "$mnt/tasks" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | uniq -d)" "listed twice"
for task in "$mnt"/tasks/*; do
    [ -s "$task/status" ] || fail "${task##*/} is listed, and has no status"
    rmdir "$task" || fail "the record of ${task##*/} cannot be forgotten"
done
expect "" "$(ls "$mnt/tasks")" "the records"
