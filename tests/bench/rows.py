# SPDX-License-Identifier: MIT
"""The figures of the benchmark: rows, each a figure of a view, in groups that share an image."""
import json
import mmap
import os
import time

from peers import View
from shared import Fault, run

KB, MB, GB = 1 << 10, 1 << 20, 1 << 30
BLOCK = 2 * MB

FEW = 4 * KB
FILLED = 512 * MB  # bytes with data, from the start of a disk
LONGEST_MS = 1000  # a pass over a range ends then, wherever it is


class Row:
    """A figure. measure() determines it for a View."""

    is_write = False
    is_long = False  # too long to repeat for the slowest in each round
    less_is_better = False

    def __init__(self, name, unit):
        self.name = name
        self.unit = unit

    def suits(self, peer):
        return not (self.is_write and peer.is_read_only)


class Fio(Row):
    """A rate that fio measures.

    kind         fio's rw
    more         options of fio
    depth        threads, each with one request under way
    off, length  the range, in bytes
    is_once      one pass over the range, otherwise for a fixed time
    is_cached    the view's cache is full, otherwise empty
    is_sliced    each thread has a part of the range
    """

    seconds = 0.4

    def __init__(self, name, kind, block, *more, direct=False, depth=1, off=0, length=FILLED,
                 is_once=False, is_cached=False, is_sliced=False):
        super().__init__(name, "MB/s" if block == MB else "1/s")
        self.is_write = "write" in kind
        self.is_once = is_once
        self.is_cached = is_cached
        self.range = off, length
        part = length // depth if is_sliced else length
        self.options = [f"--rw={kind}", f"--bs={block}", f"--direct={int(direct)}",
                        f"--numjobs={depth}", f"--offset={off}", f"--size={part}",
                        f"--offset_increment={part if is_sliced else 0}",
                        f"--invalidate={int(not is_cached)}", *more]

    def measure(self, view):
        if self.is_cached:
            read_all(view.path, *self.range)
        ending = [f"--runtime={LONGEST_MS}ms"] if self.is_once else [
            f"--runtime={int(self.seconds * 1000)}ms", "--time_based=1"]
        text = run("fio", "--name=row", f"--filename={view.path}", "--ioengine=psync", "--thread",
                   "--group_reporting", "--output-format=json", "--randrepeat=0",
                   "--allow_file_create=0", "--fallocate=none", *self.options, *ending)
        job = json.loads(text[text.index("{"):])["jobs"][0]["write" if self.is_write else "read"]
        return job["bw_bytes"] / 1e6 if self.unit == "MB/s" else job["iops"]


class Stream(Row):
    """A range written through a write-only handle, as cp and dd use it."""

    is_write = True

    def __init__(self, name, off, length):
        super().__init__(name, "MB/s")
        self.range = off, length

    def measure(self, view):
        off, length = self.range
        data = mmap.mmap(-1, MB)  # aligned, as the buffer of dd
        data.write(b"data" * (MB // 4))
        fd = os.open(view.path, os.O_WRONLY)
        try:
            begin = time.perf_counter()
            for at in range(off, off + length, MB):
                if os.pwrite(fd, data, at) != MB:
                    raise Fault(f"{view.path}: a write at {at} is short")
            return length / 1e6 / (time.perf_counter() - begin)
        finally:
            os.close(fd)


class Job(Row):
    """The time that a program needs, in ms."""

    is_long = True
    less_is_better = True

    def __init__(self, name, *command, is_write=False):
        super().__init__(name, "ms")
        self.command = command
        self.is_write = is_write

    def words(self, view):
        return [word.format(view=view.path, work=view.work) for word in self.command]

    def measure(self, view):
        forget(view)
        begin = time.perf_counter()
        run(*self.words(view))
        taken = (time.perf_counter() - begin) * 1e3
        if os.path.exists(f"{view.work}/copy"):
            os.unlink(f"{view.work}/copy")
        return taken


class CopyInto(Job):
    """A copy by cp, which looks at the file's block size. QEMU reports a byte: then cp makes a hole
    of each byte that is zero, and does not end."""

    def __init__(self, name, how):
        super().__init__(name, "cp", how, "{work}/half.raw", "{view}", is_write=True)

    def suits(self, peer):
        return super().suits(peer) and peer.has_blocks


class Known(Row):
    """A figure that is known already. Smaller is better."""

    less_is_better = True

    def __init__(self, name, unit, of, *, of_daemon=False, is_write=False):
        super().__init__(name, unit)
        self.measure = of
        self.of_daemon = of_daemon
        self.is_write = is_write

    def suits(self, peer):
        return super().suits(peer) and (peer.has_daemon or not self.of_daemon)


class Open(Row):
    """From open(2) to the first bytes. A program that opens its image at its start has done a part
    before."""

    less_is_better = True

    def __init__(self, name, off):
        super().__init__(name, "ms")
        self.off = off

    def suits(self, peer):
        return not peer.opens_at_start

    def measure(self, view):
        begin = time.perf_counter()
        read_all(view.path, self.off, FEW)
        return (time.perf_counter() - begin) * 1e3


class Group:
    """Rows that share an image, in the order of their measurement.

    size    of the disk, in bytes
    filled  numbers of the blocks that hold data
    """

    def __init__(self, name, size, filled, rows):
        self.name = name
        self.size = size
        self.filled = filled
        self.rows = rows


def read_all(path, off, length):
    buffer = bytearray(min(length, MB))
    with open(path, "rb", buffering=0) as file:
        file.seek(off)
        for _ in range(0, length, len(buffer)):
            file.readinto(buffer)


def forget(view):
    """Drop the kernel's cache of a view. The image behind it stays cached."""
    if view.pid:
        with open(view.path, "rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def fill(path, group):
    """Write data into the blocks of a group's disk that should hold some."""
    data = os.urandom(BLOCK)
    fd = os.open(path, os.O_WRONLY)
    try:
        for block in group.filled:
            os.pwrite(fd, data, block * BLOCK)
    finally:
        os.close(fd)


READS = [
    Fio("read 1 MiB, cold", "read", MB, is_once=True),
    Fio("read 1 MiB, cached", "read", MB, length=256 * MB, is_cached=True),
    Fio("read 1 MiB, O_DIRECT", "read", MB, direct=True),
    Fio("read 4 KiB, cold", "randread", 4 * KB),
    Fio("read 4 KiB, cold, 16 deep", "randread", 4 * KB, depth=16, is_sliced=True),
    Fio("read 4 KiB, cached", "randread", 4 * KB, length=256 * MB, is_cached=True),
    Fio("read 4 KiB, O_DIRECT", "randread", 4 * KB, direct=True),
    Fio("read 4 KiB, O_DIRECT, 16 deep", "randread", 4 * KB, direct=True, depth=16),
    Fio("read a hole 1 MiB, cold", "read", MB, off=20 * GB, length=4 * GB, is_once=True),
    Fio("read a hole 1 MiB, O_DIRECT", "read", MB, direct=True, off=24 * GB, length=4 * GB),
    Fio("read a hole 4 KiB, O_DIRECT", "randread", 4 * KB, direct=True, off=24 * GB, length=4 * GB),
]
OVERWRITES = [
    Fio("overwrite 1 MiB", "write", MB, length=256 * MB, is_once=True),
    Fio("overwrite 1 MiB, fsync at the end", "write", MB, "--end_fsync=1", length=256 * MB, is_once=True),
    Stream("overwrite 1 MiB, O_WRONLY", 0, 256 * MB),
    Fio("overwrite 1 MiB, O_DIRECT", "write", MB, direct=True, length=256 * MB, is_once=True),
    Fio("overwrite 4 KiB", "randwrite", 4 * KB, length=128 * MB),
    Fio("overwrite 4 KiB, 16 deep", "randwrite", 4 * KB, length=128 * MB, depth=16),
    Fio("overwrite 4 KiB, O_DIRECT", "randwrite", 4 * KB, direct=True),
    Fio("overwrite 4 KiB, O_DIRECT, 16 deep", "randwrite", 4 * KB, direct=True, depth=16),
    Fio("overwrite 4 KiB + fdatasync", "randwrite", 4 * KB, "--fdatasync=1"),
]
FIRST_WRITES = [
    Fio("first write 1 MiB", "write", MB, off=1 * GB, length=256 * MB, is_once=True),
    Stream("first write 1 MiB, O_WRONLY", 2 * GB, 256 * MB),
    Fio("first write 1 MiB, O_DIRECT", "write", MB, direct=True, off=3 * GB, length=256 * MB,
        is_once=True),
    Fio("first write 4 KiB a block, O_DIRECT", "write:2044k", 4 * KB, direct=True, off=4 * GB,
        length=8 * GB, is_once=True),
    Fio("first write 4 KiB a block + fdatasync", "write:2044k", 4 * KB, "--fdatasync=1",
        off=12 * GB, length=4 * GB, is_once=True),
]


def allocated(view):
    return os.stat(view.image).st_blocks * 512 / 1e6


GROUPS = [
    Group("disk", 32 * GB, range(FILLED // BLOCK), [
        *READS, *OVERWRITES, *FIRST_WRITES,
        Known("peak memory, all of the above", "MB", View.peak_memory, of_daemon=True),
    ]),
    Group("half", 2 * GB, range(1, 1024, 2), [
        Job("cp --sparse=auto of 2 GB, half full", "cp", "--sparse=auto", "{view}", "{work}/copy"),
        Job("cp --sparse=always of it", "cp", "--sparse=always", "{view}", "{work}/copy"),
    ]),
    Group("auto", 2 * GB, [], [CopyInto("cp --sparse=auto into 2 GB", "--sparse=auto")]),
    Group("always", 2 * GB, [], [CopyInto("cp --sparse=always into 2 GB", "--sparse=always")]),
    Group("dd", 2 * GB, [], [
        Job("dd bs=1M conv=sparse into 2 GB", "dd", "bs=1M", "conv=notrunc,sparse",
            "if={work}/half.raw", "of={view}", is_write=True),
    ]),
    Group("empty", 32 * GB, [], [
        Job("mkfs.ext4 of 32 GB", "mkfs.ext4", "-q", "-F", "{view}", is_write=True),
        Known("what it takes on the host", "MB", allocated, is_write=True),
    ]),
    Group("huge", 2040 * GB, [], [
        Known("start to first byte, 2040 GB", "ms", lambda view: view.start_ms, of_daemon=True),
        Open("open to first byte, 2040 GB", 1020 * GB),
        Known("peak memory, 2040 GB", "MB", View.peak_memory, of_daemon=True),
    ]),
]
