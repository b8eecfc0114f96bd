#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: scripts that make and delete disks at the same time would disturb each other, or
# two of them would both make the same disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
cat >"$tmp/program" <<'END'
import os, sys

mnt, number = sys.argv[1], int(sys.argv[2])


def make(name, size):
    try:
        with open(f"{mnt}/new/{name}", "wb", 0) as file:
            file.write(str(size).encode())
    except OSError:
        return False
    return True


# Make and delete a disk of its own again and again, beside the listings of others.
for i in range(25):
    if not make(f"own{number}", 3 + i):
        sys.exit(f"FAILED: own{number} is refused")
    if open(f"{mnt}/disks/own{number}/size").read() != f"{3 + i}\n":
        sys.exit(f"FAILED: own{number} has another size")
    os.listdir(mnt + "/disks")
    os.listdir(mnt + "/tasks")
    os.rmdir(f"{mnt}/disks/own{number}")
    if i % 5 == 0:
        os.rmdir(f"{mnt}/tasks/own{number}")

# All writers request the same disks. Only one request for each disk succeeds.
for i in range(40):
    if make(f"shared{i}", 10 + number):
        print(i, 10 + number, flush=True)
END
makers=
for i in 1 2 3 4 5 6 7 8; do
    "$python" "$tmp/program" "$mnt" $i >"$tmp/made$i" &
    kill_later $!
    makers="$makers $!"
done
for maker in $makers; do
    wait_until 60 has_ended "$maker"
    wait "$maker" || fail "exit status $? of a maker"
done
cat "$tmp"/made* | sort -n >"$tmp/made"
expect 40 "$(wc -l <"$tmp/made")" "disks that somebody has made"
expect 40 "$(cut -d ' ' -f 1 "$tmp/made" | uniq | wc -l)" "disks that one has made"
while read -r i size; do
    expect "$size" "$(cat "$mnt/disks/shared$i/size")" "size of shared$i"
done <"$tmp/made"
expect 40 "$(names "$mnt/disks" | wc -w)" "disks"
expect "" "$(names "$mnt/new")" "requests at work"
