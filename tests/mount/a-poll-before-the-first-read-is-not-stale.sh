#!/bin/sh
# If this failed: a program that opens a file of a task, waits for a change by poll(2), and only
# then reads it, as is done with sysfs, would read what was there before the change.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/mount.sh"

start_vhdfs
cat >"$tmp/program" <<'END'
import os, select, sys

mnt = sys.argv[1]


def request(text):
    fd = os.open(mnt + "/new/d", os.O_WRONLY | os.O_CREAT)
    try:
        os.write(fd, text)
    except OSError:
        pass
    os.close(fd)


request(b"2")
fd = os.open(mnt + "/tasks/d/state", os.O_RDONLY)
poll = select.poll()
poll.register(fd, select.POLLPRI)
if poll.poll(0):
    sys.exit("FAILED: told before a change")
request(b"40")
if not poll.poll(0):
    sys.exit("FAILED: not told of a change")
got = os.pread(fd, 100, 0)
if got != b"completed\n":
    sys.exit(f"FAILED: read {got}")
if poll.poll(0):
    sys.exit("FAILED: told once more")
END
"$python" -I -S "$tmp/program" "$mnt" || exit 1
