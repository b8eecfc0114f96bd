#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# If this failed: a host that fails once, by EIO, ENOSPC, EMFILE and so on, would crash vhdfs, have it
# hang, break a disk, or leave remains for ever.
#
# call-that-fails-once-loses-nothing.py JOB: does a job of the library again and again. Each time
# another of its system calls fails, by strace: the Nth in each thread that makes so many. Then each disk must read as before or after the job,
# no check may find a fault, and the same job must succeed.
#
# VHD_CALLS=N makes N calls fail, and VHD_CALLS=all each with each error it may have; by default it is
# one in ten. VHD_SEED chooses them; it is random, and printed.
import collections
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

VERB, FLAT = os.environ["VERB"], os.environ["FLAT"]
MB = 1 << 20

# The errors that each call may have. strace prevents the call itself, so a success is never faked.
COMMON = ("EIO",)
SPACE = ("EIO", "ENOSPC", "EDQUOT")
ERRORS = {
    "openat": ("EIO", "EMFILE", "ENOMEM", "EACCES"), "openat2": ("EIO", "EMFILE", "ENOMEM"),
    "newfstatat": COMMON, "fstat": COMMON, "statx": COMMON, "statfs": COMMON, "fstatfs": COMMON,
    "lseek": COMMON, "getdents64": COMMON, "fcntl": ("ENOLCK", "EINTR"), "flock": ("ENOLCK",),
    "pread64": ("EIO", "EINTR"), "preadv": ("EIO", "EINTR"),
    "pwrite64": SPACE + ("EINTR",), "pwritev": SPACE + ("EINTR",),
    "fallocate": SPACE + ("EINTR", "EOPNOTSUPP"), "ftruncate": ("EIO", "EFBIG", "EINTR"),
    "fsync": ("EIO", "ENOSPC"), "fdatasync": ("EIO", "ENOSPC", "EDQUOT"), "syncfs": COMMON,
    "sync_file_range": COMMON, "linkat": SPACE, "renameat": SPACE, "renameat2": SPACE,
    "rename": SPACE, "unlinkat": COMMON, "mkdirat": SPACE, "utimensat": COMMON, "fchmod": COMMON,
    "fchown": COMMON, "flistxattr": COMMON, "fgetxattr": COMMON, "fsetxattr": COMMON,
    "copy_file_range": SPACE, "ioctl": COMMON, "fadvise64": COMMON, "clone3": ("EAGAIN",),
    "clone": ("EAGAIN",), "mmap": ("ENOMEM",), "getrandom": ("EINTR",), "memfd_create": COMMON,
    "readlinkat": COMMON, "readlink": COMMON, "sysinfo": COMMON,
}

# A line of strace -f: the thread, and the call. read() and write() are those of the programs alone.
LINE = re.compile(r"^(\d+) +(\w+)\(")


def pattern(number, length):
    return random.Random(number).randbytes(length)


def shell(store, *command, data=None, prefix=()):
    """Runs a program. Returns its exit status and what it printed."""
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1"}
    done = subprocess.run([*prefix, *command], input=data, capture_output=True, check=False,
                          cwd=store, env=environment, timeout=120)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def flat(store, name, script):
    status, _, said = shell(store, FLAT, store, name, "write", data=script)
    assert status == 0, said


def verb(store, command, *names):
    status, printed, said = shell(store, VERB, store, command, *names)
    assert status == 0, said
    return printed.decode()


def write(offset, data):
    return f"write {offset} {len(data)}\n".encode() + data


class Job:
    """Two disks and a child of one, and what is done to them."""

    def __init__(self, command, name, changes=None):
        self.command, self.name, self.changes = command, name, changes or (lambda before: before)

    def call(self, store):
        return [VERB, store, self.command, self.name], None

    def prepare(self, store):
        verb(store, "new 8", "base")
        flat(store, "base", write(0, pattern(1, 700000)) + write(5 * MB, pattern(2, 300000)) +
             write(3 * MB, bytes(2 * MB)))
        verb(store, "new parent=base", "child")
        flat(store, "child", write(100, pattern(3, 9000)) + write(7 * MB, pattern(4, 5000)))
        verb(store, "new 8", "alone")
        flat(store, "alone", write(1000, pattern(5, 3 * MB)) + write(4 * MB, bytes(2 * MB)))
        verb(store, "new 4 type=fixed", "fixed")
        flat(store, "fixed", write(4096, pattern(6, 100000)))

    def judge_half(self, before, after, now):
        """The contents after a failure: those of before or after, for each disk by itself."""
        for name in before.keys() | after.keys() | now.keys():
            wanted = [state[name] for state in (before, after) if name in state]
            if name in now:
                assert now[name] in wanted, f"{name} has another content"
            else:
                assert name not in before or name not in after, f"{name} has gone"


class Merge(Job):
    """The base may have a part of the child's content as long as there is the child."""

    def judge_half(self, before, after, now):
        if "child" in now:
            now = {**now, "base": before["base"]}
        super().judge_half(before, after, now)


class Repair(Job):
    """The image has lost its footer, so the disk cannot be read before."""

    def prepare(self, store):
        super().prepare(store)
        with open(os.path.join(store, "alone.vhd"), "r+b") as file:
            file.seek(-512, os.SEEK_END)
            file.write(bytes(512))


class Write(Job):
    """Writes and discards; each sector is the old or the new one after a failure."""

    def __init__(self, name):
        super().__init__("write", name)
        self.script = (write(2 * MB - 1000, pattern(7, 2000)) + b"flush\n" +
                       b"discard 0 65536\n" + write(6 * MB, pattern(8, 40000)) +
                       write(131072, pattern(9, 512)) + b"flush\n" + write(3 * MB, bytes(4096)))

    def call(self, store):
        return [FLAT, store, self.name, "write"], self.script

    def judge_half(self, before, after, now):
        assert before.keys() == now.keys(), "a disk has gone"
        for name, old in before.items():
            new, found = after[name], now[name]
            assert len(found) == len(old), f"{name} has another size"
            for at in range(0, len(old) if found not in (old, new) else 0, 512):
                # The last piece is written over by no other, so there are two values at most.
                sector = found[at:at + 512]
                assert sector in (old[at:at + 512], new[at:at + 512]), f"sector {at // 512}, {name}"


class Read(Job):
    """The content or an error, never other bytes."""

    def __init__(self, name):
        super().__init__("read", name)

    def call(self, store):
        return [FLAT, store, self.name, "read"], None


JOBS = {
    "create": Job("new 8", "new"),
    "create-fixed": Job("new 4 type=fixed", "new"),
    "create-child": Job("new parent=alone", "new"),
    "copy": Job("new from=child", "new"),
    "copy-fixed": Job("new from=child type=fixed", "new"),
    "read": Read("child"),
    "write": Write("alone"),
    "write-child": Write("child"),
    "compact": Job("compact", "alone"),
    "resize": Job("resize 20G", "alone"),
    "resize-fixed": Job("resize 5", "fixed"),
    "convert-fixed": Job("convert fixed", "alone"),
    "convert-dynamic": Job("convert dynamic", "fixed"),
    "convert-child": Job("convert dynamic", "child"),
    "merge": Merge("merge", "child"),
    "rebase": Job("rebase base force", "child"),
    "snapshot": Job("snapshot new", "alone"),
    "check": Job("check", "child"),
    "repair": Repair("repair", "alone"),
}


def disks(store):
    return sorted(name[:-4] for name in os.listdir(store)
                  if name.endswith(".vhd") and not name.startswith("."))


def contents(store):
    """The first 8 MB of each disk that can be read, by name; a larger one holds zeros behind."""
    found = {}
    for name in disks(store):
        with tempfile.TemporaryFile(dir=os.path.dirname(store)) as file:
            done = subprocess.run([FLAT, store, name, "data"], stdout=file, stderr=subprocess.PIPE,
                                  check=False, timeout=120)
            file.seek(0)
            if done.returncode == 0:
                found[name] = file.read(8 * MB)
                assert file.tell() < 8 * MB or is_hole(file), f"data behind 8 MB of {name}"
            elif b"footer" not in done.stderr:
                raise AssertionError(f"{name}: {done.stderr.decode()}")
    return found


def is_hole(file):
    try:
        os.lseek(file.fileno(), 8 * MB, os.SEEK_DATA)
    except OSError:
        return True
    return False


def judge_check(store):
    """No image has a fault. Space that nothing uses is none."""
    for line in verb(store, "check", *disks(store)).splitlines():
        if line.startswith(" ") and " remark " not in line:
            raise AssertionError(f"check:{line}")
        if not line.startswith(" ") and line.split("\t")[1] != "S_OK":
            raise AssertionError(f"check: {line}")


class Ledger:
    """A store as it was prepared, and copies of it."""

    def __init__(self, job, folder):
        self.job, self.folder, self.number = job, folder, 0
        self.original = os.path.join(folder, "original")
        os.mkdir(self.original)
        job.prepare(self.original)
        self.before = contents(self.original)

    def copy(self):
        self.number += 1
        store = os.path.join(self.folder, str(self.number))
        subprocess.run(["cp", "-a", "--sparse=always", self.original, store], check=True)
        return store

    def run(self, store, prefix=()):
        command, data = self.job.call(store)
        return shell(store, *command, data=data, prefix=prefix)


def outcome(printed):
    """The name of the outcome that verb prints, and its sentence."""
    for line in printed.decode(errors="replace").splitlines():
        if not line.startswith(" "):
            return line.split("\t")[1:3]
    return None


def has_failed(job, status, printed, said):
    """Has the job told that it failed? Anything but an outcome and a sentence is an error."""
    if job.call("")[0][0] == FLAT:
        assert status in (0, 1, 3), f"status {status}: {said}"
        assert status == 0 or said.strip(), "no message"
        return status != 0
    if status == 1 and not printed:
        return True  # no memory for the catalogue
    assert status == 0, f"status {status}: {said}"
    name, sentence = outcome(printed)
    assert sentence.strip(), "no sentence"
    return name != "S_OK"


def baseline(ledger):
    """Do the job once. Returns its calls behind the start of the program, and what it leaves."""
    store = ledger.copy()
    log = os.path.join(ledger.folder, "log")
    status, printed, said = ledger.run(store, ["strace", "-f", "-o", log])
    assert not has_failed(ledger.job, status, printed, said), printed.decode() + said
    # strace counts in each thread by itself.
    counts, first = collections.defaultdict(collections.Counter), collections.Counter()
    has_begun = False
    with open(log, encoding="utf-8", errors="replace") as file:
        for line in file:
            found = LINE.match(line)
            if not found:
                continue
            thread, call = found.groups()
            # The first path that is the store's ends the start, in which nothing is ours.
            has_begun = has_begun or (store in line and "execve" not in line)
            counts[call][thread] += 1
            if not has_begun:
                first[call] += 1
    judge_check(store)
    after = contents(store)
    shutil.rmtree(store)
    return [(call, number, error) for call, errors in ERRORS.items() for error in errors
            for number in range(1, max(counts[call].values(), default=0) + 1)
            if number > first[call] or (len(counts[call]) > 1 and call != "mmap")], after


def fail_once(ledger, after, call, number, error):
    """Returns whether the job noticed."""
    store = ledger.copy()
    status, printed, said = ledger.run(
        store, ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                "-e", f"inject={call}:error={error}:when={number}"])
    if status == 127 and "shared libraries" in said:
        shutil.rmtree(store)
        return None  # the loader met it, and not the program
    failed = has_failed(ledger.job, status, printed, said)
    now = contents(store)
    if failed:
        ledger.job.judge_half(ledger.before, after, now)
        # A job that makes or removes a disk, and is done all the same, cannot be done twice.
        if now.keys() == ledger.before.keys() or now.keys() != after.keys():
            status, printed, said = ledger.run(store)
            assert not has_failed(ledger.job, status, printed, said), \
                f"the next attempt fails: {printed.decode()} {said}"
            now = contents(store)
    if ledger.job.command == "read":
        assert printed == ledger.before[ledger.job.name], "other bytes are read"
    assert now == after, "the content differs in the end: " + \
        " ".join(name for name in now.keys() | after.keys() if now.get(name) != after.get(name))
    judge_check(store)
    left = [name for name in os.listdir(store) if name.startswith(".vhdfs-") and name != ".vhdfs-lock"]
    assert not left, f"left in the store: {left}"
    shutil.rmtree(store)
    return failed


def sanitized():
    with open(VERB, "rb") as file:
        return b"__asan_init" in file.read()


def main():
    if shutil.which("strace") is None or \
            subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], check=False).returncode != 0:
        print("SKIPPED: needs strace, and the right to trace")
        sys.exit(77)
    seed = int(os.environ.get("VHD_SEED") or random.SystemRandom().randrange(2**32))
    wanted = os.environ.get("VHD_CALLS")
    print(f"VHD_SEED={seed}", flush=True)
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    faults, noticed = [], 0
    with tempfile.TemporaryDirectory(prefix="vhdfs-calls.", dir=base) as folder:
        ledger = Ledger(JOBS[sys.argv[1]], folder)
        failures, after = baseline(ledger)
        if sanitized():  # its own memory comes by mmap()
            failures = [failure for failure in failures if failure[0] != "mmap"]
        if wanted != "all":
            count = min(int(wanted), len(failures)) if wanted else -(-len(failures) // 10)
            failures = random.Random(seed).sample(failures, count)
        for failure in failures:
            try:
                noticed += fail_once(ledger, after, *failure) is True
            except (AssertionError, subprocess.TimeoutExpired) as fault:
                faults.append(f"{' '.join(map(str, failure))}: {fault}")
    print(f"{len(failures)} failures, {noticed} of them told")
    if faults:
        sys.exit("FAILED: " + "\n".join(faults))


main()
