# SPDX-License-Identifier: MIT
"""Programs that use a disk beside another one, for pages.py."""
import mmap
import multiprocessing
import os
import struct
import time

PAGE = 4096
RANGE = 16 * PAGE  # the length of a long write, with a stamp in each page
NOBODY = 65534


class Beside:
    """Processes that run until the block ends. The block then raises their first exception."""

    def __init__(self, *jobs):
        self.context = multiprocessing.get_context("fork")
        self.stop = self.context.Event()
        self.wrong = self.context.SimpleQueue()
        self.processes = [self.context.Process(target=self.go_on, args=job) for job in jobs]

    def go_on(self, step, *arguments):
        try:
            state = step.__self__ if hasattr(step, "__self__") else None
            if state is not None and hasattr(state, "begin"):
                state.begin()
            while not self.stop.is_set():
                step(*arguments)
        except BaseException as error:  # the parent raises it again
            self.wrong.put(f"{step.__name__}{arguments}: {error!r}")

    def __enter__(self):
        for process in self.processes:
            process.start()
        return self

    def __exit__(self, kind, error, trace):
        self.stop.set()
        for process in self.processes:
            process.join(20)
            if process.is_alive():
                process.kill()
                if kind is None:
                    raise AssertionError("a program beside hangs")
        if kind is None and not self.wrong.empty():
            raise AssertionError(self.wrong.get())


def aligned(length):
    return mmap.mmap(-1, length)


def read_all(raw):
    """Read the whole disk into the page cache."""
    fd = os.open(raw, os.O_RDONLY)
    while os.read(fd, 1 << 20):
        pass
    os.close(fd)


def openers(raw):
    """Programs that open the disk again and again, each in its own way."""

    def only_open(flags):
        os.close(os.open(raw, flags))
        time.sleep(0.0005)

    def read_direct():
        fd = os.open(raw, os.O_RDONLY | os.O_DIRECT)
        os.preadv(fd, [aligned(PAGE)], 0)
        os.close(fd)
        time.sleep(0.0005)

    def map_it():
        fd = os.open(raw, os.O_RDONLY)
        view = mmap.mmap(fd, PAGE, prot=mmap.PROT_READ)
        view[2048]
        view.close()
        os.close(fd)
        time.sleep(0.0005)

    def without_rights():
        # A user without permission: the open fails, and must not disturb others.
        if os.getuid() == 0:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
        for flags in os.O_RDONLY, os.O_WRONLY, os.O_RDWR:
            try:
                os.close(os.open(raw, flags))
            except PermissionError:
                pass
        time.sleep(0.0005)

    return {
        "rdonly": (only_open, os.O_RDONLY),
        "rdwr": (only_open, os.O_RDWR),
        "wronly": (only_open, os.O_WRONLY),
        "direct": (read_direct,),
        "map": (map_it,),
        "no-rights": (without_rights,),
    }


def reader_beside(raw):
    fd = os.open(raw, os.O_RDONLY)

    def read_it():
        os.pread(fd, RANGE, 0)

    return (read_it,)


def write_and_read(seconds, write, read, unit=8):
    """Write, and read the same place back each time: a few bytes, or pages."""
    end = time.monotonic() + seconds
    number = missed = 0
    while time.monotonic() < end or number < 10:
        number += 1
        length = RANGE if number % 8 == 0 else unit
        at = 0 if length == RANGE else number % 3 * PAGE
        value = struct.pack("<Q", number) * (length // 8)
        write(value, at)
        got = read(length, at)
        if got != value:
            missed += 1
            last = set(struct.unpack(f"<{length // 8}Q", got))
    assert not missed, f"of {number} writes {missed} were not read back; at last: {last}"


def is_direct_loop(device):
    """Returns true for a loop device that uses O_DIRECT on its file."""
    try:
        with open(f"/sys/block/{os.path.basename(device)}/loop/dio", encoding="ascii") as file:
            return file.read().strip() == "1"
    except OSError:
        return False
