# SPDX-License-Identifier: MIT
"""The owner of a disk, for soak.py: it alone writes to the disk, and knows what must be there."""
import ctypes
import errno
import mmap
import os
import random
import time

PATIENCE = int(os.environ.get("VHD_TEST_PATIENCE", "1"))

PAGE, MB = 4096, 1 << 20
PUNCH = 3  # FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE

libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """A request was refused, or its task failed."""


def patiently(step, seconds=30):
    """Repeats a step while it is EBUSY: the kernel tells of a close afterwards."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        try:
            return step()
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > end:
                raise
            time.sleep(0.05)


def write_line(path, line):
    """Writes a line as echo does."""
    def step():
        fd = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CREAT, 0o666)
        try:
            os.write(fd, line.encode() + b"\n")
        finally:
            os.close(fd)
    patiently(step)


def read_text(path):
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


class Owner:
    """Each page holds one number again and again, or zeros. After a kill, a page may hold any number
    since its last sync."""

    def __init__(self, mnt, name, seed, done):
        self.mnt, self.name, self.snapshot = mnt, name, f"{name}-before"
        self.random, self.done = random.Random(f"{seed} {name}"), done
        self.stamp = 0
        self.pages = []  # the possible numbers of each page, the newest at the end

    def path(self, file, name=None):
        return os.path.join(self.mnt, "disks", name or self.name, file)

    def begin(self):
        write_line(os.path.join(self.mnt, "new", self.name), "8")
        self.pages = [[0] for _ in range(8 * MB // PAGE)]

    def open(self, flags=os.O_RDWR):
        return patiently(lambda: os.open(self.path("raw"), flags))

    def synced(self):
        self.pages = [numbers[-1:] for numbers in self.pages]

    def stretch(self, most):
        first = self.random.randrange(len(self.pages))
        count = min(1 + self.random.randrange(most), len(self.pages) - first)
        return first, count

    def next_stamp(self, first, count):
        """Notes the number first: after a failure the write may have been done or not."""
        self.stamp += 1
        for page in range(first, first + count):
            self.pages[page].append(self.stamp)
        return self.stamp.to_bytes(8, "big") * (PAGE // 8 * count)

    def write(self, flags=0):
        fd = self.open(os.O_RDWR | flags)
        try:
            for _ in range(1 + self.random.randrange(4)):
                first, count = self.stretch(64)
                data = mmap.mmap(-1, count * PAGE)  # aligned, as O_DIRECT needs it
                data[:] = self.next_stamp(first, count)
                put = 0
                while put < len(data):
                    put += os.pwrite(fd, memoryview(data)[put:], first * PAGE + put)
                self.done("bytes", len(data))
            if self.random.random() < 0.5:
                os.fsync(fd)
                self.synced()
        finally:
            os.close(fd)

    def write_past_the_cache(self):
        self.write(os.O_DIRECT)

    @staticmethod
    def fill(pages, data):
        """Fills a mapping in a process of its own: without the daemon that ends by SIGBUS."""
        child = os.fork()
        if child == 0:
            try:
                pages[:] = data
                pages.flush()
                os._exit(0)
            except OSError:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        if status != 0:
            raise OSError(errno.EIO, f"a mapping: status {status:#x}")

    def write_by_mapping(self):
        fd = self.open()
        try:
            first, count = self.stretch(16)
            try:
                pages = mmap.mmap(fd, count * PAGE, offset=first * PAGE)
            except OSError as error:
                # A reader that came while the disk was written past the cache keeps it so.
                if error.errno == errno.ENODEV:
                    return
                raise
            with pages:
                self.fill(pages, self.next_stamp(first, count))
            os.fsync(fd)
            self.synced()
        finally:
            os.close(fd)

    def discard(self):
        fd = self.open()
        try:
            first, count = self.stretch(1024)
            for page in range(first, first + count):
                self.pages[page].append(0)
            if libc.fallocate(fd, PUNCH, ctypes.c_long(first * PAGE), ctypes.c_long(count * PAGE)) < 0:
                raise OSError(ctypes.get_errno(), "fallocate")
        finally:
            os.close(fd)

    def sync(self):
        fd = self.open()
        try:
            os.fsync(fd)
            self.synced()
        finally:
            os.close(fd)

    def verify(self):
        with open(self.open(os.O_RDONLY), "rb") as file:
            data = file.read()
        self.done("bytes", len(data))
        assert len(data) == len(self.pages) * PAGE, f"{self.name}: {len(data)} bytes"
        for page, numbers in enumerate(self.pages):
            found = data[page * PAGE:(page + 1) * PAGE]
            number = int.from_bytes(found[:8], "big")
            assert found == found[:8] * (PAGE // 8), f"{self.name}: page {page} is torn"
            assert number in numbers, f"{self.name}: page {page} has {number}, not one of {numbers}"

    def settle(self):
        """After a kill, what is there now is there for good."""
        disks = os.listdir(os.path.join(self.mnt, "disks"))
        if self.name not in disks:  # a rename or a merge was cut off
            other = next(name for name in (f"{self.name}-moved", self.snapshot) if name in disks)
            os.rename(self.path("", other), self.path(""))
        if self.has_snapshot():  # a merge that was cut off has changed the time of the parent
            self.verb(f"rebase {self.snapshot} force")
        size = os.stat(self.path("raw")).st_size // PAGE
        self.pages = self.pages[:size] + [[0] for _ in range(size - len(self.pages))]
        self.verify()
        with open(self.open(os.O_RDONLY), "rb") as file:
            self.pages = [[int.from_bytes(file.read(PAGE)[:8], "big")] for _ in self.pages]

    def task(self, file):
        return read_text(os.path.join(self.mnt, "tasks", self.name, file))

    def verb(self, command):
        """Does a verb. It takes only a disk that no program has open."""
        write_line(self.path("ctl"), command)
        outcome = self.task("wait")
        if outcome != "completed":
            raise Refused(f"{self.name}: {command}: {outcome}: {self.task('error')} "
                          f"{self.task('report')}")
        self.done("verbs", 1)

    def has_snapshot(self):
        return os.path.exists(self.path("", self.snapshot))

    def compact(self):
        if read_text(self.path("type")) != "fixed":
            self.verb("compact")

    def check(self):
        self.verb("check")
        wrong = [line for line in self.task("report").splitlines() if " remark " not in line]
        assert not wrong, f"{self.name}: {wrong}"

    def repair(self):
        self.verb("repair")

    def convert(self):
        if self.has_snapshot():
            return
        kind = read_text(self.path("type"))
        self.verb("convert dynamic" if kind == "fixed" else "convert fixed")

    def resize(self):
        if self.has_snapshot() or len(self.pages) > 24 * MB // PAGE:
            return
        more = 1 + self.random.randrange(4)
        size = len(self.pages) * PAGE // MB + more
        self.verb(f"resize {size}")
        self.pages += [[0] for _ in range(more * MB // PAGE)]

    def keep(self):
        """A snapshot and, when there is one, the merge of both and the old name."""
        if not self.has_snapshot():
            self.verb(f"snapshot {self.snapshot}")
            return
        self.verb("merge")
        os.rename(self.path("", self.snapshot), self.path(""))

    def rename(self):
        if self.has_snapshot():
            return
        moved = self.path("", f"{self.name}-moved")
        patiently(lambda: os.rename(self.path(""), moved))
        patiently(lambda: os.rename(moved, self.path("")))

    STEPS = ([write] * 6 + [write_past_the_cache] * 3 + [write_by_mapping] * 3 + [discard] * 2 +
             [sync, verify, verify, compact, check, repair, convert, resize, keep, rename])

    def step(self):
        step = self.random.choice(self.STEPS)
        step(self)
        self.done("steps", 1)
