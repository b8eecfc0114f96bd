#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: after the host has lost writes, programs would go on writing to the disk and
# syncing it without an error.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/gate.sh
. "$(dirname "$0")/../gate.sh"

start_vhdfs
make_disk d 16
run_python "a disk whose sync has failed" '
import errno, os, sys
raw, lose, errors = sys.argv[1:]
wrong = []

def refused(what, call, *arguments):
    try:
        got = call(*arguments)
    except OSError as error:
        if error.errno != errno.EIO:
            wrong.append(f"{what}: {error}")
    else:
        wrong.append(f"{what}: {got}")

fd = os.open(raw, os.O_RDWR)
os.pwrite(fd, b"old data" * 512, 0)
os.pwrite(fd, b"old data" * 512, 8 << 20)
os.fsync(fd)
reader = os.open(raw, os.O_RDONLY)
open(lose, "w").close()
# The background flush may be the first to fail, even before this write.
try:
    os.pwrite(fd, b"LOST IT!" * 512, 0)
except OSError as error:
    assert error.errno == errno.EIO, error
refused("the sync that fails", os.fsync, fd)
os.remove(lose)

# The host works again, but the lost writes are gone.
refused("a write", os.pwrite, fd, b"more", 4096)
refused("another sync", os.fsync, fd)
refused("a sync by a reader", os.fsync, reader)
for flags in os.O_WRONLY, os.O_RDWR, os.O_RDWR | os.O_DIRECT, os.O_WRONLY | os.O_TRUNC:
    refused(f"a new opening, {flags:#o}", os.open, raw, flags)
for handle in fd, reader, os.open(raw, os.O_RDONLY):
    try:
        if os.pread(handle, 8, 8 << 20) != b"old data":
            wrong.append("what was there before is gone")
    except OSError as error:
        wrong.append(f"a read: {error}")
if " disks/d/raw EIO " not in open(errors).read():
    wrong.append("errors: " + open(errors).read())
assert not wrong, "\n".join(wrong)
' "$raw" "$gate_dir/lose" "$mnt/errors"
