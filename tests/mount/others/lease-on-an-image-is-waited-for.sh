#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a disk would not open while a file server holds a lease on its image, though the
# file server gives way within a moment.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
start_vhdfs
make_disk d 16
wait_until 5 sh -c ": 1<>'$raw'"
run_python "a lease on an image" '
import errno, fcntl, os, signal, sys, time
image, raw, errors = sys.argv[1:]
wrong = []

def lease_holder(kind):
    """Start a program with a lease that it gives up when asked, as Samba does. Returns its pid."""
    ready, tell = os.pipe()
    pid = os.fork()
    if pid:
        os.read(ready, 1)
        os.close(ready)
        os.close(tell)
        return pid
    try:
        fd = os.open(image, os.O_RDONLY if kind == fcntl.F_RDLCK else os.O_RDWR)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGIO])
        fcntl.fcntl(fd, fcntl.F_SETLEASE, kind)
        os.write(tell, b"x")
        while True:
            signal.sigwait([signal.SIGIO])
            fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    finally:
        os._exit(1)

for kind in fcntl.F_RDLCK, fcntl.F_WRLCK:
    for flags in os.O_RDWR, os.O_WRONLY, os.O_RDONLY:
        holder = lease_holder(kind)
        what = f"lease {kind}, the holder gives way, open {flags:#o}"
        try:
            fd = os.open(raw, flags)
            if flags != os.O_RDONLY:
                os.pwrite(fd, b"x" * 4096, 0)
                os.fsync(fd)
            os.close(fd)
        except OSError as error:
            wrong.append(f"{what}: {error}")
        try:
            open(os.path.dirname(raw) + "/info").read()
        except OSError as error:
            wrong.append(f"{what}, info: {error}")
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
        time.sleep(0.15)
assert not wrong, "\n".join(wrong)
' "$store/d.vhd" "$raw" "$mnt/errors"
