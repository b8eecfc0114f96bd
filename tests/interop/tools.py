# SPDX-License-Identifier: MIT
"""Shared by the tests beside other programs."""
import contextlib
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.environ["CORPUS"])
import corpus  # noqa: E402

TOOL_7Z = next(filter(shutil.which, ("7zz", "7z")), None)
HAS_FUSE = os.access("/dev/fuse", os.W_OK)


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise corpus.Fault(f"{' '.join(command)}: exit status {done.returncode}:\n"
                           f"{done.stdout.decode(errors='replace')[-2000:]}")
    return done.stdout


def content_of(path):
    """Returns the sectors of a flat file that are not all zeros, and its size."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        return corpus.sectors_of(file, size), size


@contextlib.contextmanager
def mounted(folder, *command):
    """A context: a FUSE mount on a folder. The command takes the folder as its last argument."""
    os.makedirs(folder, exist_ok=True)
    run(*command, folder)
    try:
        deadline = time.monotonic() + 20
        while not os.listdir(folder):
            if time.monotonic() > deadline:
                raise corpus.Fault(f"{command[0]} shows nothing")
            time.sleep(0.01)
        yield folder
    finally:
        subprocess.run(["fusermount3" if shutil.which("fusermount3") else "fusermount", "-u",
                        folder], check=False)
        os.rmdir(folder)


def by_qemu(image, scratch):
    run("qemu-img", "convert", "-f", "vpc", "-O", "raw", image, scratch)
    try:
        return content_of(scratch)
    finally:
        os.unlink(scratch)


def by_7z(image, scratch):
    with open(scratch, "xb") as out:
        subprocess.run([TOOL_7Z, "x", "-tVHD", "-so", image], stdin=subprocess.DEVNULL, stdout=out,
                       stderr=subprocess.DEVNULL, check=True)
    try:
        return content_of(scratch)
    finally:
        os.unlink(scratch)


def why_no_vhdimount():
    """The reason why vhdimount cannot be used; None if it can. Debian 13 builds it without FUSE."""
    if not HAS_FUSE:
        return "vhdimount needs /dev/fuse"
    if b"libfuse" not in run("ldd", shutil.which("vhdimount")):
        return "vhdimount is built without FUSE"
    return None


def by_vhdimount(image, scratch):
    """vhdimount shows each image of a chain as a file. The last one is the whole disk."""
    with mounted(scratch, "vhdimount", image):
        shown = sorted(os.listdir(scratch), key=lambda name: int(name[len("vhdi"):]))
        path = f"{scratch}/{shown[-1]}"
        # The file does not support SEEK_DATA.
        with open(path, "rb", buffering=0) as file:
            size, found = os.fstat(file.fileno()).st_size, {}
            for at in range(0, size, 1 << 20):
                found.update(corpus.sectors_in(os.pread(file.fileno(), 1 << 20, at), at))
            return found, size
