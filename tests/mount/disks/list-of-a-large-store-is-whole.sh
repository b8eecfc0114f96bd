#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: in a store with many disks a listing would miss some, or show some twice.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs history=10000
echo 40 >"$mnt/new/d" || fail "cannot make d"
cat >"$tmp/program" <<'END'
import os, shutil, sys

store, mnt = sys.argv[1:]
names = [f"disk-{i:05}-with-a-name-of-some-length" for i in range(1500)]
for name in names:
    shutil.copyfile(store + "/d.vhd", f"{store}/{name}.vhd")
if sorted(os.listdir(mnt + "/disks")) != sorted(names + ["d"]):
    sys.exit("FAILED: the listing is another")

# Disks that appear or disappear during a listing do not affect the others.
listed = []
with os.scandir(mnt + "/disks") as entries:
    for i, entry in enumerate(entries):
        listed.append(entry.name)
        if i == 100:
            os.unlink(f"{store}/{names[0]}.vhd")
            os.rmdir(f"{mnt}/disks/{names[1]}")
            os.rmdir(f"{mnt}/disks/{names[-1]}")
            shutil.copyfile(store + "/d.vhd", f"{store}/new-one.vhd")
if len(set(listed)) != len(listed) or not set(names[2:-1]) <= set(listed):
    sys.exit("FAILED: the listing that was disturbed lacks a disk, or has one twice")
if len(os.listdir(mnt + "/disks")) != 1499:
    sys.exit("FAILED: the listing afterwards")

# The same for records.
for i in range(1500):
    try:
        with open(f"{mnt}/new/record-{i:05}", "wb", 0) as file:
            file.write(b"2")
    except OSError:
        pass
if len(os.listdir(mnt + "/tasks")) != 1501:
    sys.exit(f"FAILED: {len(os.listdir(mnt + '/tasks'))} records")
END
"$python" -I -S "$tmp/program" "$store" "$mnt"
