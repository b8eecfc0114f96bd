# SPDX-License-Identifier: MIT
"""Shared by the tests of the corpus: the images, their expected texts, and calls of the library.

The variable FLAT names the program of tests/tools that opens a disk through the library.
"""
import os
import shutil
import subprocess
import sys
import tempfile

import make

PIECE, GIB = 64 << 10, 1 << 30
HERE = os.path.dirname(os.path.abspath(__file__))


class Fault(Exception):
    pass


def expect(wanted, got, what):
    if wanted != got:
        raise Fault(f"{what}: expected {wanted!r}, got {got!r}")


def errno_of(facts):
    """The errno of opening a bad disk."""
    return "ELOOP" if facts["fault"].startswith("the chain of parents has no end") else "EUCLEAN"


def texts(kind):
    """The expected texts: a dict of values for each image."""
    found = {}
    for name in sorted(make.names(kind, make.TEXT)):
        with open(make.text_path(kind, name), encoding="utf-8") as file:
            lines = file.read().splitlines()
        found[name] = dict(line.split(" ", 1) for line in lines if not line.startswith("#"))
    return found


def digest_wanted(facts):
    way = next(key for key in facts if key.startswith("sha256"))
    return f"{way} {facts[way]}"


class Files:
    """The state of the files in a folder, which shows later whether a file was touched."""

    def __init__(self, folder):
        self.folder, self.state = folder, self.listing_of(folder)

    @staticmethod
    def listing_of(folder):
        state = {}
        for entry in os.scandir(folder):
            status = entry.stat(follow_symlinks=False)
            state[entry.name] = (status.st_ino, status.st_size, status.st_mtime_ns,
                                 status.st_ctime_ns)
        return state

    def changed(self):
        """The names of files that are new, gone or changed."""
        new = self.listing_of(self.folder)
        return sorted(name for name in new.keys() | self.state.keys()
                      if new.get(name) != self.state.get(name))


def sectors_of(file, size):
    """The sectors of a flat file that are not all zeros, by number."""
    found, at = {}, 0
    while at < size:
        try:
            data_at = os.lseek(file.fileno(), at, os.SEEK_DATA)
        except OSError:  # ENXIO: only a hole follows
            break
        at = max(at, data_at - data_at % PIECE)
        found.update(sectors_in(os.pread(file.fileno(), PIECE, at), at))
        at += PIECE
    return found


def sectors_in(data, at):
    """The sectors of these bytes, which lie at offset at, that are not all zeros."""
    found = {}
    if data.count(0) < len(data):
        for inner in range(0, len(data), 512):
            piece = data[inner : inner + 512]
            if piece.count(0) < len(piece):
                found[(at + inner) // 512] = piece
    return found


def flat(store, name, *words, script=b"", out=subprocess.PIPE, env=None):
    return subprocess.run([os.environ["FLAT"], store, name, *map(str, words)], input=script,
                          stdout=out, stderr=subprocess.PIPE, env=env, check=False)


def must(done, what):
    if done.returncode != 0:
        raise Fault(f"{what}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def read_whole(store, name, *words):
    """The sectors that the library reads, and the size of the disk. The address sanitizer does not
    look for leaks, which takes it longer than the rest: it does in read_data().
    """
    options = os.environ.get("ASAN_OPTIONS", "")
    env = {**os.environ, "ASAN_OPTIONS": f"{options}:detect_leaks=0".lstrip(":")}
    content = must(flat(store, name, "read", *words, env=env), f"reading {name}")
    found = {}
    for at in range(0, len(content), PIECE):
        found.update(sectors_in(content[at : at + PIECE], at))
    return found, len(content)


def read_data(store, name):
    """The sectors that SEEK_DATA finds, and the size. Quick for disks of any size."""
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(store)) as out:
        must(flat(store, name, "data", out=out), f"reading the data of {name}")
        size = os.fstat(out.fileno()).st_size
        return sectors_of(out, size), size


def expect_content(wanted, got, what):
    """Compare two pairs of sectors and size."""
    if wanted[1] != got[1]:
        raise Fault(f"{what}: expected {wanted[1]} bytes, got {got[1]}")
    if wanted[0] != got[0]:
        odd = sorted(number for number in wanted[0].keys() | got[0].keys()
                     if wanted[0].get(number) != got[0].get(number))
        raise Fault(f"{what}: {len(odd)} sectors differ, from {odd[0]} to {odd[-1]}")


def copy_of(folder, to):
    """Copy a folder with times and holes."""
    subprocess.run(["cp", "-a", "--sparse=always", folder, to], check=True)
    return to


def need_commands(*commands):
    """Skip the test if a program is missing; in CI, fail."""
    missing = [command for command in commands if not shutil.which(command)]
    if missing and os.environ.get("CI") == "true":
        raise Fault(f"needs {', '.join(missing)}, and CI must not do without")
    if missing:
        print(f"SKIPPED: needs {', '.join(missing)}")
        sys.exit(77)


def fast_folder():
    """A folder in memory with enough space, so that syncs are quick; None if there is none."""
    shm = "/dev/shm"
    if "TMPDIR" in os.environ or not os.access(shm, os.W_OK) or shutil.disk_usage(shm).free < GIB:
        return None
    return shm


def run(test, with_images=True):
    """Run a test with a temporary folder that holds the corpus."""
    folder = tempfile.mkdtemp(prefix="vhdfs-corpus.", dir=fast_folder())
    try:
        if with_images:
            make.make(folder)
        print(test(folder))
    except Fault as fault:
        sys.exit(f"FAILED: {fault}")
    finally:
        shutil.rmtree(folder)


def each(cases, check):
    """Check all cases before the test fails, so that it prints all faults."""
    faults = []
    for name, facts in cases.items():
        try:
            check(name, facts)
        except Fault as fault:
            faults.append(f"{name}: {fault}")
    if faults:
        raise Fault("\n" + "\n".join(faults))
