#!/bin/sh
# If this failed: a program that asks by poll(2) or select(2) whether it can read or write would
# wait for ever.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/mount.sh"

start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
cat >"$tmp/program" <<'END'
import os, select, sys

mnt = sys.argv[1]
READ = select.POLLIN | select.POLLRDNORM
WRITE = select.POLLOUT | select.POLLWRNORM


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
    if not os.access(path, os.R_OK) or os.path.basename(path) == "cancel":
        continue
    fd = os.open(path, os.O_RDONLY)
    expect(READ, ready(fd, READ | select.POLLPRI), path)
    expect(([fd], [], []), select.select([fd], [], [fd], 0), "select of " + path)
    os.close(fd)
    seen += 1
if seen < 25:
    sys.exit(f"FAILED: seen {seen} files only")
for path in "tasks/d/cancel", "errors", "new/e":
    fd = os.open(f"{mnt}/{path}", os.O_WRONLY | os.O_CREAT)
    expect(WRITE, ready(fd, WRITE), path)
    expect(([], [fd], []), select.select([], [fd], [fd], 0), "select of " + path)
END
timeout 60 "$python" -I -S "$tmp/program" "$mnt" || exit 1
