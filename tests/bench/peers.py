# SPDX-License-Identifier: MIT
"""The programs that the benchmark compares. Each shows the content of an image as a flat file."""
import contextlib
import os
import shutil
import subprocess

from shared import Fault, run, serving, wait_until

READ_AHEAD_KB = 1024  # the value that vhdfs sets if it may


class View:
    """The content of an image: the file that shows it, and the process that serves the file, if
    any."""

    start_ms = None  # from the start of the program to the first bytes

    def __init__(self, path, image, pid=None):
        self.path = path
        self.image = image
        self.pid = pid

    def peak_memory(self):
        """In MB."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1e3


class Peer:
    """A way to show an image. Each peer shows one image at a time."""

    name = None
    ending = ".vhd"  # of its images
    is_read_only = False
    is_slow = False
    has_daemon = True
    has_blocks = True
    opens_at_start = False
    program = None

    def __init__(self, build, work):
        self.build = build
        self.folder = f"{work}/{self.name.replace(' ', '-')}"
        self.mount = f"{self.folder}/mount"
        self.log = f"{self.folder}/log"
        os.makedirs(self.mount)

    def is_there(self):
        return shutil.which(self.program) is not None

    def image(self, name):
        """The path for the image of that name."""
        return f"{self.folder}/{name}{self.ending}"

    def describe(self):
        raise NotImplementedError

    def show(self, name, size):
        """A context that shows an image and yields its View."""
        raise NotImplementedError


def is_whole(path, size):
    try:
        return os.stat(path).st_size >= size
    except OSError:
        return False


class Vhdfs(Peer):
    name = "vhdfs"

    def __init__(self, build, work):
        super().__init__(build, work)
        self.program = f"{build}/fs/vhdfs"
        self.store = f"{self.folder}/store"
        os.mkdir(self.store)

    def image(self, name):
        return f"{self.store}/{name}.vhd"

    def describe(self):
        return run(self.program, "--version").strip() + ", without options"

    @contextlib.contextmanager
    def show(self, name, size):
        path = f"{self.mount}/disks/{name}/raw"
        command = [self.program, self.store, self.mount, "-f"]
        with serving(command, self.mount, lambda: is_whole(path, size), self.log) as daemon:
            yield View(path, self.image(name), daemon.pid)


class Qemu(Peer):
    name = "qemu"
    has_blocks = False
    opens_at_start = True
    program = "qemu-storage-daemon"

    def __init__(self, build, work):
        super().__init__(build, work)
        self.path = f"{self.folder}/view"

    def describe(self):
        return (run(self.program, "--version").splitlines()[0] + ", driver vpc, FUSE export; "
                "cache.direct=off, cache.no-flush=off, aio=threads (its defaults)")

    @contextlib.contextmanager
    def show(self, name, size):
        with open(self.path, "w", encoding="ascii"):
            pass
        command = [
            self.program,
            "--blockdev", f"driver=file,filename={self.image(name)},node-name=file",
            "--blockdev", "driver=vpc,file=file,node-name=disk",
            "--export",
            f"type=fuse,id=view,node-name=disk,mountpoint={self.path},writable=on",
        ]
        with serving(command, self.path, lambda: is_whole(self.path, size), self.log) as daemon:
            yield View(self.path, self.image(name), daemon.pid)


class Vhdimount(Peer):
    name = "vhdimount"
    program = "vhdimount"
    is_read_only = True
    is_slow = True
    opens_at_start = True

    def describe(self):
        return run(self.program, "-V").splitlines()[0] + ", reads only"

    def process(self, image):
        """Find the process: it goes to the background and writes no pid file."""
        for number in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{number}/cmdline", "rb") as file:
                if file.read().split(b"\0")[:3] == [
                        os.fsencode(word) for word in (self.program, image, self.mount)]:
                    return int(number)
        raise Fault(f"{self.program}: is not running")

    @contextlib.contextmanager
    def show(self, name, size):
        path = f"{self.mount}/vhdi1"
        # It would keep a pipe for its output open, so there is none.
        subprocess.run([self.program, self.image(name), self.mount], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            if not wait_until(lambda: is_whole(path, size)):
                raise Fault(f"{self.program}: does not mount")
            yield View(path, self.image(name), self.process(self.image(name)))
        finally:
            run("fusermount3", "-u", self.mount)


class Floor(Peer):
    name = "fusefloor"
    ending = ".raw"

    def __init__(self, build, work):
        super().__init__(build, work)
        self.program = f"{build}/tests/bench/fusefloor"

    def describe(self):
        return "a flat file through FUSE, served with the least work, told to the kernel as vhdfs is"

    def raise_read_ahead(self):
        device = os.stat(self.mount).st_dev
        with contextlib.suppress(PermissionError), open(
                f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb", "w",
                encoding="ascii") as file:
            file.write(str(READ_AHEAD_KB))

    @contextlib.contextmanager
    def show(self, name, size):
        path = f"{self.mount}/raw"
        command = [self.program, self.image(name), self.mount]
        with serving(command, self.mount, lambda: is_whole(path, size), self.log) as daemon:
            self.raise_read_ahead()
            yield View(path, self.image(name), daemon.pid)


class Flat(Peer):
    name = "flat file"
    ending = ".raw"
    has_daemon = False

    def is_there(self):
        return True

    def describe(self):
        return "the file itself: what is cold or O_DIRECT meets the host's disk"

    @contextlib.contextmanager
    def show(self, name, size):
        yield View(self.image(name), self.image(name))


PEERS = [Vhdfs, Qemu, Vhdimount, Floor, Flat]
