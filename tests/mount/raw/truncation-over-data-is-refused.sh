#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program that shortens or lengthens a disk would lose content, or rely on a
# wrong size.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d 32
run_python "a truncation that would lose data" '
import errno, os, random, sys
raw, errors = sys.argv[1:]
size = os.stat(raw).st_size
wrong = []

def refused(wanted, what, call, *arguments):
    try:
        call(*arguments)
        wrong.append(f"{what}: done")
    except OSError as error:
        if error.errno != wanted:
            wrong.append(f"{what}: {errno.errorcode[error.errno]}, not {errno.errorcode[wanted]}")
    if os.stat(raw).st_size != size:
        wrong.append(f"{what}: the size is {os.stat(raw).st_size}")

fd = os.open(raw, os.O_RDWR)
for to in size + 1, size + 512, size * 2, 1 << 40, (1 << 62):
    refused(errno.EFBIG, f"path, to {to}", os.truncate, raw, to)
    refused(errno.EFBIG, f"handle, to {to}", os.ftruncate, fd, to)

# A byte counts as data before it is synced, at any place.
for at in 5, 4095, 2 << 20, (9 << 20) + 511, size - 1:
    os.pwrite(fd, b"x", at)
    for to in 1, 5, at // 2 + 1, at:
        if 0 < to <= at:
            refused(errno.EPERM, f"path, byte {at}, to {to}", os.truncate, raw, to)
            refused(errno.EPERM, f"handle, byte {at}, to {to}", os.ftruncate, fd, to)
    if os.pread(fd, 1, at) != b"x":
        wrong.append(f"the byte at {at} is gone")
    os.pwrite(fd, b"\0", at)
import mmap
view = mmap.mmap(fd, size)
view[17 << 20] = 7
# vhdfs cannot see a store to a mapping. The truncation keeps the page.
os.truncate(raw, 16 << 20)
if view[17 << 20] != 7:
    wrong.append("the byte of a mapping is gone")
if len(open(errors).read().splitlines()) != 16:
    wrong.append("errors does not tell of them: " + open(errors).read())
assert not wrong, "\n".join(wrong)
' "$raw" "$mnt/errors"
