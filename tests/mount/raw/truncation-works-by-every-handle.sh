#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: programs that truncate their target to 0 (nbdcopy, qemu-img convert, truncate -s
# 0) would fail on a disk, or leave old content behind their own.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command truncate
start_vhdfs
make_disk d 32
# shellcheck disable=SC2016 # a word of another shell
run_python "a disk is emptied by every way" '
import os, random, subprocess, sys
raw = sys.argv[1]
size = os.stat(raw).st_size
old = random.Random(1).randbytes(1 << 20)

def fill():
    fd = os.open(raw, os.O_RDWR)
    for at in 0, 13 << 20, size - len(old):
        os.pwrite(fd, old, at)
    os.close(fd)

def by_handle(flags):
    def empty():
        fd = os.open(raw, flags)
        os.ftruncate(fd, 0)
        assert os.fstat(fd).st_size == size, "the size seen by the handle"
        os.pwrite(fd, memoryview(block), 8 << 20)
        os.close(fd)
    return empty

def by_handle_used(flags):
    def empty():
        fd = os.open(raw, flags)
        os.pwrite(fd, memoryview(block), 24 << 20)
        os.ftruncate(fd, 0)
        os.pwrite(fd, memoryview(block), 8 << 20)
        os.close(fd)
    return empty

def by_tool(*words):
    def empty():
        subprocess.run([*words, raw], check=True)
        fd = os.open(raw, os.O_WRONLY)
        os.pwrite(fd, block, 8 << 20)
        os.close(fd)
    return empty

def by_path():
    os.truncate(raw, 0)
    by_tool("true")()

import mmap
block = mmap.mmap(-1, 4096)
block[:] = b"new!" * 1024
failed = []
for name, empty in {
    "path": by_path,
    "truncate -s 0": by_tool("truncate", "-s", "0"),
    "handle, O_WRONLY": by_handle(os.O_WRONLY),
    "handle, O_RDWR": by_handle(os.O_RDWR),
    "handle, O_DIRECT": by_handle(os.O_RDWR | os.O_DIRECT),
    "handle, O_APPEND": by_tool("sh", "-c", "truncate -s 0 /dev/fd/9 9>>\"$1\"", "sh"),
    "used handle, O_WRONLY": by_handle_used(os.O_WRONLY),
    "used handle, O_RDWR": by_handle_used(os.O_RDWR),
}.items():
    fill()
    wanted = bytearray(size)
    wanted[8 << 20:(8 << 20) + 4096] = block[:]
    try:
        empty()
    except (OSError, AssertionError, subprocess.CalledProcessError) as error:
        failed.append(f"{name}: {error}")
        continue
    if os.stat(raw).st_size != size:
        failed.append(f"{name}: the size is {os.stat(raw).st_size}")
    with open(raw, "rb") as file:
        if file.read() != wanted:
            failed.append(f"{name}: another content")
assert not failed, "\n".join(failed)
' "$raw"
