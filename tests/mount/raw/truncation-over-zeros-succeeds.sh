#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: cp of an image with a hole at its end, rsync -S and mkfs.erofs would fail though
# nothing is lost. They set the size of their output.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d 32
run_python "a truncation that loses nothing" '
import os, random, sys
raw = sys.argv[1]
size = os.stat(raw).st_size
old = random.Random(1).randbytes(1 << 20)
fd = os.open(raw, os.O_RDWR)
os.pwrite(fd, old, 0)
# All bytes from 1 MB on are zeros: never written, written and punched, or stored as zeros.
os.pwrite(fd, old, 9 << 20)
os.pwrite(fd, bytes(1 << 20), 9 << 20)
os.pwrite(fd, old + old, 20 << 20)
os.pwrite(fd, bytes(2 << 20), 20 << 20)
wrong = []

def try_all(state):
    for to in 1 << 20, (1 << 20) + 1, 2 << 20, (9 << 20) + 4096, (20 << 20) + 12345, size - 1, size:
        for name, call in (("path", lambda: os.truncate(raw, to)),
                           ("handle", lambda: os.ftruncate(fd, to))):
            try:
                call()
            except OSError as error:
                wrong.append(f"{state}, {name}, to {to}: {error}")
            if os.stat(raw).st_size != size or os.fstat(fd).st_size != size:
                wrong.append(f"{state}, {name}, to {to}: the size is {os.stat(raw).st_size}")
    if os.pread(fd, len(old), 0) != old:
        wrong.append(f"{state}: the content has changed")

try_all("written a moment ago")
os.fsync(fd)
try_all("synced")
os.close(fd)
fd = os.open(raw, os.O_WRONLY)
try:
    os.ftruncate(fd, 4 << 20)
except OSError as error:
    wrong.append(f"O_WRONLY: {error}")
os.close(fd)
# The byte before the cut is data. Only bytes behind the cut count.
os.truncate(raw, 0)
with open(raw, "r+b") as file:
    file.seek(5000)
    file.write(b"x")
try:
    os.truncate(raw, 5001)
except OSError as error:
    wrong.append(f"behind the last byte: {error}")
assert not wrong, "\n".join(wrong)
' "$raw"
