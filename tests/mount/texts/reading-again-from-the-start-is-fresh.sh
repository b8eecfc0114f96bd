#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program that keeps a status open, and reads it repeatedly from the start, would
# never see it change.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
cat >"$tmp/program" <<'END'
import os, sys

os.chdir(sys.argv[1])


def expect(wanted, got, what):
    if wanted not in got:
        sys.exit(f"FAILED: {what}: expected {wanted}, got {got}")


def write(path, text):
    try:
        with open(path, "wb", 0) as file:
            file.write(text)
    except OSError:
        pass


write("new/d", b"2")
fd = os.open("tasks/d/status", os.O_RDONLY)
expect(b"state failed\n", os.pread(fd, 4096, 0), "the first read")
write("new/d", b"40")
expect(b"ed\n", os.pread(fd, 4096, 10), "the end of the text read before")
expect(b"state completed\n", os.pread(fd, 4096, 0), "the second read")
os.lseek(fd, 0, os.SEEK_SET)
expect(b"state completed\n", os.read(fd, 4096), "a read after lseek")

fd = os.open("errors", os.O_RDONLY)
os.pread(fd, 4096, 0)
write("new/.x", b"40")
expect(b"E_INVALID_NAME", os.pread(fd, 4096, 0), "the refusals read again")

# A handle writes a request and then reads its status.
fd = os.open("new/e", os.O_RDWR | os.O_CREAT)
os.write(fd, b"40")
expect(b"state completed\n", os.pread(fd, 4096, 0), "status read through the handle of the request")
END
"$python" -I -S "$tmp/program" "$mnt"
