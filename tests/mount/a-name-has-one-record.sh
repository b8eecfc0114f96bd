#!/bin/sh
# If this failed: disks made and deleted again and again under one name would fill tasks/ with
# records that nobody can reach, and drive out those of all others.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/mount.sh"

start_vhdfs
makers=
for _ in 1 2 3; do
    behind sh -c "while :; do echo 4 >'$mnt/new/x'; done" 2>/dev/null
    makers="$makers $!"
done
python3 -c 'import os, sys, time
end = time.monotonic() + 2
while time.monotonic() < end:
    for call, path in (os.rmdir, "/disks/x"), (lambda x: os.rename(x, x[:-1] + "y"), "/disks/x"), (os.rmdir, "/disks/y"):
        try:
            call(sys.argv[1] + path)
        except OSError:
            pass' "$mnt"
for maker in $makers; do
    kill "$maker"
    wait_until 20 has_ended "$maker"
done
expect "" "$(find "$mnt/tasks" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | uniq -d)" "listed twice"
for task in "$mnt"/tasks/*; do
    [ -s "$task/status" ] || fail "${task##*/} is listed, and has no status"
    rmdir "$task" || fail "the record of ${task##*/} cannot be forgotten"
done
expect "" "$(ls "$mnt/tasks")" "the records"
