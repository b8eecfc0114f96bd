#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""soak.py VHDFS STORE MOUNTPOINT SECONDS SEED: many programs do everything at once to a mounted
store, while the daemon is ended, killed and started again. Prints numbers. Exits with 1 if a disk has
other content than it must, a program fails for no reason, or the daemon leaks.
"""
import errno
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import soak_owner  # noqa: E402
from soak_owner import PATIENCE, read_text, write_line  # noqa: E402

OWNERS = 3

# KiB that the daemon's memory may grow by in the last three eighths of the time, when there was time
# enough to fill each thread's buffers before.
GROWTH, SETTLED = 2048, 100

# What a call may say while the daemon is away.
AWAY = {errno.ENOTCONN, errno.ECONNABORTED, errno.ENOENT, errno.EIO, errno.ENXIO, errno.EROFS,
        errno.ESHUTDOWN, errno.EINTR, errno.EBUSY, errno.EPERM, errno.EEXIST, errno.ENODEV, errno.ECANCELED}

# What a call may say of a disk or a task that another program has just removed, or is working on.
RACE = {errno.ENOENT, errno.EBUSY, errno.ESRCH, errno.ESTALE, errno.EUCLEAN, errno.EISDIR}


class Daemon:
    def __init__(self, program, store, mnt):
        self.command, self.mnt, self.process = [program, store, mnt, "-f"], mnt, None

    def start(self):
        self.process = subprocess.Popen(self.command)
        end = time.monotonic() + 20 * PATIENCE
        while not os.path.exists(os.path.join(self.mnt, "version")):
            assert self.process.poll() is None, f"the daemon has ended: {self.process.returncode}"
            assert time.monotonic() < end, "the daemon does not begin"
            time.sleep(0.01)

    def end(self, how):
        """By a signal, or by umount."""
        if how == "umount":
            subprocess.run(["umount", "-l", self.mnt], check=True)
        else:
            self.process.send_signal(getattr(signal, how))
        status = self.process.wait(60 * PATIENCE)
        assert status == (-signal.SIGKILL if how == "SIGKILL" else 0), f"{how}: status {status}"
        end = time.monotonic() + 20 * PATIENCE
        while os.path.ismount(self.mnt) or self.is_dead():
            assert time.monotonic() < end, f"{how}: the mount stays"
            time.sleep(0.01)

    def is_dead(self):
        """A mount without a daemon; the helper removes it."""
        try:
            os.stat(self.mnt)
            return False
        except OSError as error:
            return error.errno == errno.ENOTCONN

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory(self):
        """KiB of its own memory."""
        text = read_text(f"/proc/{self.process.pid}/smaps_rollup")
        return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))


class Crew:
    """Programs beside each other. Each repeats its step until the end; while the daemon is away, it
    waits."""

    def __init__(self):
        context = multiprocessing.get_context("fork")
        self.stop, self.up, self.era = context.Event(), context.Event(), context.Value("l", 0)
        self.wrong = context.SimpleQueue()
        self.counts = {key: context.Value("q", 0) for key in ("steps", "verbs", "bytes", "looks")}
        self.context, self.members = context, []

    def done(self, key, count):
        with self.counts[key].get_lock():
            self.counts[key].value += count

    def add(self, step, settle=None, end=None):
        member = self.context.Process(target=self.live, args=(step, settle, end))
        self.members.append(member)
        member.start()

    def undisturbed(self, step):
        """Does a step. Returns False if the daemon went meanwhile."""
        era = None
        while era != self.era.value:
            era = self.era.value
            self.up.wait()
        try:
            step()
        except (OSError, soak_owner.Refused, StopIteration, AssertionError) as error:
            if era == self.era.value:
                raise
            assert not isinstance(error, OSError) or error.errno in AWAY, repr(error)
        return era == self.era.value

    def live(self, step, settle, end):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            while not self.stop.is_set():
                if not self.undisturbed(step) and settle:
                    while not self.undisturbed(settle):
                        pass
            if end:
                end()
        except BaseException as error:  # the parent tells it
            self.wrong.put("".join(traceback.format_exception(error)[-4:]))
            self.stop.set()

    def finish(self):
        self.stop.set()
        self.up.set()
        for member in self.members:
            member.join(120 * PATIENCE)
            if member.is_alive():
                member.kill()
                self.wrong.put(f"{member.name} hangs")
            elif member.exitcode != 0:
                self.wrong.put(f"{member.name}: exit status {member.exitcode}")


class Maker:
    """Makes disks of all types, cancels some, and deletes them."""

    def __init__(self, mnt, number, seed):
        self.mnt, self.name = mnt, f"made-{number}"
        self.random = random.Random(f"{seed} {self.name}")

    def task(self, file):
        return os.path.join(self.mnt, "tasks", self.name, file)

    def remove(self):
        disk = os.path.join(self.mnt, "disks", self.name)
        if os.path.exists(disk):
            soak_owner.patiently(lambda: os.rmdir(disk))

    def step(self):
        self.remove()
        request = self.random.choice(("16", "8 type=fixed", "from=own-0", "from=own-1 type=fixed",
                                      "200 type=fixed", "parent=base"))
        try:
            write_line(os.path.join(self.mnt, "new", self.name), request)
            if self.random.random() < 0.3:
                write_line(self.task("cancel"), "")
        except OSError as error:
            if error.errno not in RACE:
                raise
            return
        outcome = read_text(self.task("wait"))
        has_disk = os.path.exists(os.path.join(self.mnt, "disks", self.name, "raw"))
        assert has_disk == (outcome == "completed"), f"{request}: {outcome}, disk: {has_disk}"
        assert outcome != "failed" or request.startswith(("from", "parent")), \
            f"{request}: {read_text(self.task('error'))}"
        self.remove()


def look(mnt, done, rand):
    """Reads the small files of the tree, and a part of a disk."""
    for folder, _, files in os.walk(mnt):
        for file in files:
            if file in ("wait", "fixed.vhd") or rand.random() < 0.5:
                continue
            try:
                with open(os.path.join(folder, file), "rb") as opened:
                    opened.read(4096)
                done("looks", 1)
            except OSError as error:
                # Files that are only written to, and what is going.
                if error.errno not in RACE | {errno.EACCES, errno.EPERM}:
                    raise


def use_beside(store, done, rand):
    """Other programs at the store: QEMU reads a header, somebody changes a mode, and makes a link."""
    names = [name for name in os.listdir(store) if name.endswith(".vhd")]
    if not names:
        return
    path = os.path.join(store, rand.choice(names))
    try:
        subprocess.run(["qemu-img", "info", "-U", "-f", "vpc", path], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.chmod(path, rand.choice((0o644, 0o664)))
        os.link(path, f"{path}.link")
        os.unlink(f"{path}.link")
    except FileNotFoundError:
        pass
    done("looks", 1)
    time.sleep(0.05)


def begin(crew, store, mnt, seed):
    write_line(os.path.join(mnt, "new", "base"), "8")
    for number in range(OWNERS):
        owner = soak_owner.Owner(mnt, f"own-{number}", seed, crew.done)
        owner.begin()
        crew.add(owner.step, owner.settle, owner.verify)
    for number in range(2):
        crew.add(Maker(mnt, number, seed).step)
    rand = random.Random(seed)
    crew.add(lambda: look(mnt, crew.done, rand))
    crew.add(lambda: use_beside(store, crew.done, rand))


def disturb(crew, daemon, seconds, rand):
    """End the daemon in all ways during the first half of the time. Returns how often."""
    ends = 0
    half = time.monotonic() + seconds / 2
    while not crew.stop.wait(rand.uniform(1, 6)) and time.monotonic() < half:
        how = rand.choice(("SIGTERM", "SIGKILL", "SIGKILL", "umount"))
        crew.up.clear()
        with crew.era.get_lock():
            crew.era.value += 1
        daemon.end(how)
        daemon.start()
        crew.up.set()
        ends += 1
    return ends


def is_sanitized(program):
    with open(program, "rb") as file:
        text = file.read()
    return b"__asan_init" in text or b"__tsan_init" in text


def main():
    program, store, mnt, seconds, seed = sys.argv[1:]
    seconds, rand = int(seconds), random.Random(seed)
    print(f"VHD_STRESS_SEED={seed}", flush=True)
    daemon, crew, wrong = Daemon(program, store, mnt), Crew(), []
    daemon.start()
    idle = daemon.descriptors()
    crew.up.set()
    begin(crew, store, mnt, seed)
    try:
        ends = disturb(crew, daemon, seconds, rand)
        crew.stop.wait(seconds / 8)
        memory = daemon.memory()
        crew.stop.wait(seconds * 3 / 8)
    finally:
        crew.finish()
        while not crew.wrong.empty():
            wrong.append(crew.wrong.get())
        if wrong:
            print(*wrong, sep="\n", file=sys.stderr)
    end = time.monotonic() + 20 * PATIENCE
    while daemon.descriptors() != idle and time.monotonic() < end:
        time.sleep(0.1)
    counts = {key: value.value for key, value in crew.counts.items()}
    print(f"{counts['steps']} steps, {counts['verbs']} verbs, {counts['looks']} looks, "
          f"{counts['bytes'] >> 20} MB, {ends} ends of the daemon; "
          f"descriptors {idle} then {daemon.descriptors()}, "
          f"memory {memory} KiB then {daemon.memory()} KiB", flush=True)
    if daemon.descriptors() != idle:
        wrong.append("the daemon keeps descriptors")
    if seconds >= SETTLED and daemon.memory() > memory + GROWTH and not is_sanitized(program):
        wrong.append("the daemon keeps memory")
    daemon.end("SIGTERM")
    if wrong:
        sys.exit(wrong[-1])


main()
