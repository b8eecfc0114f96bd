# SPDX-License-Identifier: MIT
"""Long tasks of a mounted store: how they begin and end, and how they take turns with others."""
import os
import statistics
import subprocess
import time

MB = 1 << 20


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def nothing():
    pass


def fill(path, size):
    """Fill the first half of a disk with bytes that cannot be compressed."""
    with open(path, "r+b") as raw:
        for _ in range(size // 2 // MB):
            raw.write(os.urandom(MB))
        os.fsync(raw.fileno())


def forget(path):
    """Drop the kernel's cache of a file that is durable."""
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class Mount:
    """A store that is mounted until the end of a with block."""

    def __init__(self, build, folder):
        self.build = build
        self.folder = folder
        self.store, self.tree = f"{folder}/store", f"{folder}/mount"
        self.pid = None

    def __enter__(self):
        run(f"{self.build}/fs/vhdfs", self.store, self.tree, "-o", f"pidfile={self.tree}.pid")
        with open(f"{self.tree}.pid", encoding="ascii") as file:
            self.pid = int(file.read())
        return self

    def __exit__(self, *_):
        run("fusermount3", "-u", self.tree)
        while os.path.exists(f"{self.tree}.pid"):
            time.sleep(0.01)

    def image(self, name):
        return f"{self.store}/{name}.vhd"

    def request(self, path, name, text):
        """Write a request, and wait for its task. A task that fails is an OSError."""
        with open(f"{self.tree}/{path}", "w", encoding="ascii") as file:
            file.write(text)
        with open(f"{self.tree}/tasks/{name}/wait", "rb") as file:
            os.fsync(file.fileno())

    def make(self, name, text):
        self.request(f"new/{name}", name, text)

    def verb(self, name, text):
        self.request(f"disks/{name}/ctl", name, text)

    def rename(self, name, other):
        os.rename(f"{self.tree}/disks/{name}", f"{self.tree}/disks/{other}")

    def remove(self, name):
        os.rmdir(f"{self.tree}/disks/{name}")


class Turn:
    """A task whose time counts from its begin until it is durable.

    call     does it; prepare() goes before it, and undo() after it
    sources  files of which nothing is cached at first
    """

    def __init__(self, call, prepare=nothing, undo=nothing, sources=()):
        self.call = call
        self.prepare = prepare
        self.undo = undo
        self.sources = sources

    def measure(self, folder):
        """Returns seconds. The host has written all else before."""
        self.prepare()
        run("sync", "-f", folder)
        for path in self.sources:
            forget(path)
        begin = time.perf_counter()
        self.call()
        taken = time.perf_counter() - begin
        self.undo()
        return taken


class Syncs:
    """The syncs of a task without its work. Each letter is one of them:

    -  of a file that has not changed
    o  of a file with 4 KiB overwritten
    a  of a file with 4 KiB more
    n  of a folder with another name in it
    """

    def __init__(self, folder, letters):
        self.folder = f"{folder}/syncs"
        self.letters = letters

    def __enter__(self):
        os.mkdir(self.folder)
        self.folder_fd = os.open(self.folder, os.O_RDONLY)
        self.fd = os.open(f"{self.folder}/file", os.O_RDWR | os.O_CREAT | os.O_EXCL)
        os.write(self.fd, bytes(4096))
        return self

    def __exit__(self, *_):
        os.close(self.fd)
        os.close(self.folder_fd)
        os.remove(f"{self.folder}/file")
        os.rmdir(self.folder)

    def call(self):
        for letter in self.letters:
            if letter == "n":
                os.rename(f"{self.folder}/file", f"{self.folder}/other")
                os.rename(f"{self.folder}/other", f"{self.folder}/file")
                os.fsync(self.folder_fd)
                continue
            if letter == "o":
                os.pwrite(self.fd, b"o" * 4096, 0)
            elif letter == "a":
                os.pwrite(self.fd, b"a" * 4096, os.fstat(self.fd).st_size)
            os.fdatasync(self.fd)


def alternate(folder, turns, rounds):
    """Returns the median time of each turn, by its name."""
    taken = [{name: turn.measure(folder) for name, turn in turns.items()} for _ in range(rounds)]
    return {name: statistics.median(row[name] for row in taken) for name in turns}


def seconds(taken):
    return f"{taken:.{2 if taken >= 1 else 4}f} s"


def print_row(name, ours, peers):
    """Print a time, and those of its peers with the ratio to them."""
    print(f"{name:36}{seconds(ours):>11}"
          + "".join(f"   {peer} {seconds(taken)}, ratio {ours / taken:.2f}"
                    for peer, taken in peers.items()), flush=True)


def print_beside_syncs(name, folder, turn, letters, rounds):
    """Measure a task that moves no data, beside its syncs alone."""
    with Syncs(folder, letters) as syncs:
        medians = alternate(folder, {"task": turn, "syncs": Turn(syncs.call)}, rounds)
    print_row(name, medians["task"], {f"its {len(letters)} syncs alone": medians["syncs"]})
