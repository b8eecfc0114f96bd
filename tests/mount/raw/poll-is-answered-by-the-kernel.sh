#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program that calls poll(2) or select(2) would wait, and io_uring would ask the
# daemon hundreds of times for each write of a disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

# With -d the daemon prints the requests of the kernel.
"$VHDFS" "$store" "$mnt" -d -o "pidfile=$tmp/pid" 2>"$tmp/log" &
daemon=$!
end_later "$daemon"
wait_until 20 is_ready "$daemon"
make_disk d
cat >"$tmp/program" <<'END'
import os, select, sys

mnt = sys.argv[1]
READY = select.POLLIN | select.POLLRDNORM | select.POLLOUT | select.POLLWRNORM


def expect(wanted, got, what):
    if got != wanted:
        sys.exit(f"FAILED: {what}: expected {wanted}, got {got}")


def ready(fd, events):
    poll = select.poll()
    poll.register(fd, events)
    return dict(poll.poll(0)).get(fd, 0)


def every_file(folder):
    for where, _, names in os.walk(folder):
        for name in sorted(names):
            yield os.path.join(where, name)


seen = 0
for path in every_file(mnt):
    if os.path.basename(path) == "cancel":
        continue
    fd = os.open(path, os.O_RDONLY)
    expect(READY, ready(fd, READY | select.POLLPRI), path)
    expect(([fd], [], []), select.select([fd], [], [fd], 0), "select of " + path)
    os.close(fd)
    seen += 1
if seen < 25:
    sys.exit(f"FAILED: seen {seen} files only")
for path in "tasks/d/cancel", "errors", "new/e", "disks/d/raw":
    fd = os.open(f"{mnt}/{path}", os.O_WRONLY | os.O_CREAT)
    for _ in range(100):
        expect(READY, ready(fd, READY), path)
    expect(([], [fd], []), select.select([], [fd], [fd], 0), "select of " + path)
END
timeout 60 "$python" -I -S "$tmp/program" "$mnt" || fail "polling"
# The daemon answers the first request with ENOSYS, and the kernel asks no more.
asked=$(grep -c 'opcode: POLL' "$tmp/log")
[ "$asked" -le 1 ] || fail "the kernel has asked $asked times whether a file is ready"
grep -q 'opcode: WRITE' "$tmp/log" || fail "this daemon does not print what it is asked"
