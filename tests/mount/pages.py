#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Several programs use one disk at the same time. Each scenario checks their view of the data.

pages.py SCENARIO SECONDS RAW [ARG...]: an exception and exit status 1 show a fault.
"""
import errno
import itertools
import mmap
import multiprocessing
import os
import random
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # python -I leaves it out
from beside import (PAGE, RANGE, Beside, aligned, is_direct_loop, openers, read_all,
                    reader_beside, write_and_read)


def own_writes(seconds, raw, way, *which):
    """own-writes WAY [OPENER...]: file, mapping, apart (O_WRONLY beside O_RDONLY) or DEVICE."""
    kinds = openers(raw)
    # In "apart" the first writer is write-only, and a loop device with direct I/O bypasses the
    # pages. No program may map the disk then.
    chosen = [kinds[name] for name in which or kinds
              if name != "map" or not (way == "apart" or is_direct_loop(way))]
    flags = os.O_WRONLY if way == "apart" else os.O_RDWR
    unit = 8
    writer = reader = None
    if way in ("file", "mapping", "apart"):
        writer = os.open(raw, flags)
        reader = os.open(raw, os.O_RDONLY) if way == "apart" else writer

        def write(value, at):
            os.pwrite(writer, value, at)

        def read(length, at):
            return os.pread(reader, length, at)
    else:
        writer = os.open(way, os.O_RDWR | os.O_DIRECT)
        buf = aligned(RANGE)
        unit = PAGE

        def write(value, at):
            buf[:len(value)] = value
            os.pwritev(writer, [memoryview(buf)[:len(value)]], at)

        def read(length, at):
            os.preadv(writer, [memoryview(buf)[:length]], at)
            return buf[:length]
    if way == "mapping":
        view = mmap.mmap(writer, RANGE)
        turn = [0]

        def write(value, at):
            turn[0] += 1
            if turn[0] % 2:
                view[at:at + len(value)] = value
            else:
                os.pwrite(writer, value, at)

        def read(length, at):
            if turn[0] % 2:
                return os.pread(writer, length, at)
            return view[at:at + length]
    with Beside(reader_beside(raw), *chosen):
        write_and_read(seconds, write, read, unit)


def page_shared(seconds, raw, *flags):
    """A mapping and plain writes share a page. The bytes of both must survive."""
    flags = {"wronly": os.O_WRONLY, "rdwr": os.O_RDWR, "append": os.O_WRONLY | os.O_SYNC}[flags[0]]
    fd = os.open(raw, os.O_RDWR)
    view = mmap.mmap(fd, PAGE)
    turns = 0

    def store_by_mapping():
        nonlocal turns
        turns += 1
        view[2048:2056] = struct.pack("<Q", turns)
        if turns % 3 == 0:
            view.flush()
        # No other program writes to these bytes of the mapping.
        assert view[2048:2056] == struct.pack("<Q", turns), "a store to the mapping is gone"

    with Beside((store_by_mapping,)):
        time.sleep(0.1)
        writer = os.open(raw, flags)
        end = time.monotonic() + seconds
        number = lost = 0
        buf = aligned(PAGE)
        while time.monotonic() < end:
            number += 1
            value = struct.pack("<Q", number)
            os.pwrite(writer, value, 0)
            if number % 20 == 0:
                os.fsync(writer)
                direct = os.open(raw, os.O_RDONLY | os.O_DIRECT)
                os.preadv(direct, [buf], 0)
                os.close(direct)
                lost += buf[:8] != value
                lost += view[:8] != value
        assert not lost, f"of {number} writes, a part of them synced, {lost} were gone"
    os.close(writer)


def truncated_beside(seconds, raw):
    """A truncation to 0 beside mappings and opens ends soon, with success or EBUSY."""
    size = os.stat(raw).st_size
    context = multiprocessing.get_context("fork")
    at = context.Value("d", time.monotonic())
    counts = context.Array("i", 2)

    def map_and_store():
        fd = os.open(raw, os.O_RDWR)
        view = mmap.mmap(fd, PAGE, offset=size - PAGE)
        view[0:5] = b"dirty"
        view.close()
        os.close(fd)
        time.sleep(0.002)

    def empty():
        read_all(raw)
        try:
            os.truncate(raw, 0)
            counts[0] += 1
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            counts[1] += 1
        at.value = time.monotonic()

    with Beside((map_and_store,), (empty,)) as beside:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.2)
            still = time.monotonic() - at.value
            if still > 12:
                for process in beside.processes:
                    try:
                        with open(f"/proc/{process.pid}/stack", encoding="ascii") as stack:
                            print(process.pid, stack.read(), file=sys.stderr)
                    except OSError:
                        pass
                print(f"the truncation has hung for {still:.0f} s", file=sys.stderr, flush=True)
                os._exit(1)
    assert counts[0] + counts[1] > 0, "nobody has truncated it"
    os.truncate(raw, 0)
    with open(raw, "rb") as file:
        while block := file.read(1 << 20):
            assert not block.strip(b"\0"), "a truncated disk holds something"


def dd_then_map(seconds, raw, count=1000):
    """A program maps a disk right after another has written to it, and never gets ENODEV."""
    del seconds
    count = int(count)
    refused = 0
    words = ["dd", "if=/dev/urandom", f"of={raw}", "bs=4k", "count=1", "status=none"]
    for number in range(count):
        if number % 5 == 0:
            keep = [] if number % 50 == 0 else ["conv=notrunc"]
            pid = os.posix_spawnp("dd", words + keep, os.environ)
            assert os.waitpid(pid, 0)[1] == 0, "dd fails"
        else:
            fd = os.open(raw, os.O_WRONLY | (os.O_DIRECT if number % 5 == 1 else 0))
            buf = aligned(PAGE)
            buf[0:8] = struct.pack("<Q", number)
            os.pwrite(fd, buf, 0)
            os.close(fd)
        fd = os.open(raw, os.O_RDWR)
        try:
            view = mmap.mmap(fd, PAGE)
            if number % 5:
                assert view[0:8] == struct.pack("<Q", number), "the mapping shows old bytes"
            view.close()
        except OSError as error:
            assert error.errno == errno.ENODEV, error
            refused += 1
        os.close(fd)
    assert not refused, f"of {count} mappings {refused} were refused: ENODEV"


def opened_together(seconds, raw, image, at):
    """IMAGE changes at AT without vhdfs. All programs that then open the disk together see the
    change."""
    at = int(at)
    size = os.stat(raw).st_size
    under = os.open(image, os.O_RDWR)
    end = time.monotonic() + seconds
    rounds = stale = 0
    many = 6
    while time.monotonic() < end or rounds < 20:
        rounds += 1
        read_all(raw)
        time.sleep(0.15)
        value = struct.pack(">Q", rounds)
        os.pwrite(under, value, at)
        time.sleep(0.01)
        barrier = threading.Barrier(many)
        got = [None] * many

        def one(index):
            barrier.wait()
            time.sleep(0.0004 * index)
            fd = os.open(raw, os.O_RDONLY)
            got[index] = os.pread(fd, 8, size - PAGE)
            os.close(fd)

        threads = [threading.Thread(target=one, args=(index,)) for index in range(many)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stale += any(value != each for each in got)
    assert not stale, f"in {stale} of {rounds} rounds somebody has read old bytes"


def kernel_copies(seconds, raw):
    """sendfile, splice, copy_file_range and MAP_PRIVATE of raw and fixed.vhd beside a writer."""
    fixed = os.path.join(os.path.dirname(raw), "fixed.vhd")
    length = 16 * PAGE

    def through_pipe(send):
        reader, writer = os.pipe()
        got = b""
        while len(got) < length:
            count = send(writer, len(got), min(length - len(got), 8 * PAGE))
            assert count, f"{send.__qualname__} ends early"
            while count:
                part = os.read(reader, count)
                got += part
                count -= len(part)
        os.close(reader)
        os.close(writer)
        return got

    def by_sendfile(fd):
        return through_pipe(lambda pipe, at, count: os.sendfile(pipe, fd, at, count))

    def by_splice(fd):
        return through_pipe(lambda pipe, at, count: os.splice(fd, pipe, count, offset_src=at))

    def by_copy_file_range(fd):
        out = os.memfd_create("copy")
        done = 0
        while done < length:
            try:
                count = os.copy_file_range(fd, out, length - done, done, done)
            except OSError as error:
                # The kernel cannot copy between these file systems: programs then read and write.
                if error.errno not in (errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP):
                    raise
                count = os.pwrite(out, os.pread(fd, length - done, done), done)
            assert count, "copy_file_range ends early"
            done += count
        got = os.pread(out, length, 0)
        os.close(out)
        return got

    def by_private_mapping(fd):
        view = mmap.mmap(fd, length, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
        got = view[:]
        view.close()
        return got

    def by_read(fd):
        return os.pread(fd, length, 0)

    ways = [by_sendfile, by_copy_file_range, by_private_mapping, by_read]
    if hasattr(os, "splice"):
        ways.append(by_splice)
    wrong = {}
    for flags in os.O_WRONLY, os.O_RDWR:
        end = time.monotonic() + seconds / 2
        writer = os.open(raw, flags)
        number = 0
        kept = {path: os.open(path, os.O_RDONLY) for path in (raw, fixed)}
        for fd in kept.values():
            by_read(fd)
        while time.monotonic() < end or number < 8:
            number += 1
            content = random.Random(number).randbytes(length)
            os.pwrite(writer, content, 0)
            os.fsync(writer)
            # The kept descriptor comes first, because an open may drop the kernel's pages.
            for what in "kept open", "just opened":
                for way, (path, fd) in itertools.product(ways, kept.items()):
                    if way is by_private_mapping and flags == os.O_WRONLY and path == raw:
                        continue
                    each = fd if what == "kept open" else os.open(path, os.O_RDONLY)
                    try:
                        right = way(each) == content
                    except OSError as error:
                        right = False
                        what += f", {error}"
                    if each != fd:
                        os.close(each)
                    if not right:
                        key = f"{os.path.basename(path)} {way.__name__} {what}, {flags=}"
                        wrong[key] = wrong.get(key, 0) + 1
        for fd in kept.values():
            os.close(fd)
        os.close(writer)
        time.sleep(0.2)
    assert not wrong, f"stale: {wrong}"


def private_mapping(seconds, raw):
    """Stores to a private mapping stay in their program."""
    end = time.monotonic() + seconds
    with open(raw, "r+b", buffering=0) as file:
        file.write(b"shared" * 1000)
        while time.monotonic() < end:
            view = mmap.mmap(file.fileno(), 4 * PAGE, flags=mmap.MAP_PRIVATE,
                             prot=mmap.PROT_READ | mmap.PROT_WRITE)
            assert view[:6] == b"shared"
            view[:6] = b"secret"
            view[PAGE:PAGE + 6] = b"secret"
            os.fsync(file.fileno())
            assert os.pread(file.fileno(), 6, 0) == b"shared", "it has reached the disk"
            assert view[:6] == b"secret", "it is gone"
            view.close()


def main():
    scenario, seconds, raw, *arguments = sys.argv[1:]
    {
        "own-writes": own_writes,
        "page-shared": page_shared,
        "truncated-beside": truncated_beside,
        "dd-then-map": dd_then_map,
        "opened-together": opened_together,
        "kernel-copies": kernel_copies,
        "private-mapping": private_mapping,
    }[scenario](float(seconds), raw, *arguments)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    try:
        main()
    except AssertionError as error:
        print(f"{sys.argv[1]}: {error}", file=sys.stderr, flush=True)
        os._exit(1)
