# SPDX-License-Identifier: MIT
"""Shared by the benchmarks: running programs, and describing the machine."""
import contextlib
import os
import subprocess
import sys
import time

UNREAL = ("tmpfs", "ramfs", "overlay", "fuse")  # there a sync does nothing, or something else
PATIENCE = 30  # seconds until a daemon is ready or has ended
LIMIT = 600  # seconds until a program has ended
POLL = 0.001


class Fault(Exception):
    """Something did not work; the sentence says what and where."""


def run(*command):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, timeout=LIMIT)
    except subprocess.TimeoutExpired as fault:
        raise Fault(str(fault)) from None
    if done.returncode != 0:
        raise Fault(f"{' '.join(command)}: exit status {done.returncode}:\n{done.stdout}")
    return done.stdout


def wait_until(is_so, daemon=None):
    """Wait for a condition. If the daemon has ended, fail."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if (daemon and daemon.poll() is not None) or time.monotonic() > deadline:
            return False
        time.sleep(POLL)
    return True


@contextlib.contextmanager
def serving(command, point, is_ready, log):
    """A context: a daemon runs in the foreground and has mounted at a point. Its messages are shown
    only after a fault."""
    with open(log, "w+", encoding="utf-8") as said, subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said) as daemon:
        try:
            if not wait_until(is_ready, daemon):
                raise Fault(f"{' '.join(command)}: does not mount")
            yield daemon
            daemon.terminate()
            if daemon.wait(PATIENCE) != 0:
                raise Fault(f"{' '.join(command)}: ends with status {daemon.returncode}")
        except (Fault, subprocess.TimeoutExpired) as fault:
            said.seek(0)
            raise Fault(f"{fault}\n{said.read()}".rstrip()) from None
        finally:
            if daemon.poll() is None:
                daemon.kill()
                subprocess.run(["fusermount3", "-u", "-z", "-q", point], check=False)


def tell(text):
    """Show the progress on a terminal."""
    if sys.stderr.isatty():
        print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)


def mount_of(path):
    """Returns the type and the options of a path's file system."""
    found = "/", "unknown", ""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            left, _, right = line.partition(" - ")
            point = left.split()[4].encode().decode("unicode_escape")
            if os.path.commonpath([point, path]) == point and len(point) >= len(found[0]):
                found = point, right.split()[0], left.split()[5]
    return found[1:]


def check_work(work):
    kind, _ = mount_of(os.path.realpath(work))
    if kind.startswith(UNREAL):
        raise Fault(f"{work} is on {kind}, expected a --work where a sync writes")


def build_programs(build):
    """Build vhdfs and the programs of the benchmarks, in a build directory that meson has set
    up."""
    run("ninja", "-C", build, "all", "meson-benchmark-prereq")


def print_machine(work, rounds):
    kind, options = mount_of(work)
    system = os.uname()
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"Linux {system.release} {system.machine}, {os.cpu_count()} processors, load {load}")
    print(f"{kind} ({options}) at {work}, {rounds} rounds")


def print_table(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths)))
    print()
