#!/bin/sh
# If this failed: a program that watches a name by poll(2) would not hear that another request of
# that name was refused, or has made the disk after all.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/mount.sh"

start_vhdfs
cat >"$tmp/program" <<'END'
import os, select, sys, threading, time

mnt = sys.argv[1]
URGENT = select.POLLPRI | select.POLLERR


def request(text):
    fd = os.open(mnt + "/new/d", os.O_WRONLY | os.O_CREAT)
    try:
        os.write(fd, text)
    except OSError:
        pass
    os.close(fd)


def expect(wanted, got, what):
    if got != wanted:
        sys.exit(f"FAILED: {what}: expected {wanted}, got {got}")


def told(poll, of, what):
    expect({fd: URGENT for fd in of}, {fd: got & ~select.POLLIN for fd, got in poll.poll(0)}, what)


request(b"2")
for name in "status", "status.json", "state", "errno", "id":
    path = f"{mnt}/tasks/d/{name}"
    fds = [os.open(path, os.O_RDONLY), os.open(path, os.O_RDONLY)]
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLPRI)
        os.pread(fd, 1000, 0)
    told(poll, [], f"{name} before")
    before = os.pread(fds[0], 1000, 0)

    # A waiter wakes up.
    woken = []
    waiter = threading.Thread(target=lambda: woken.extend(poll.poll(10000)))
    waiter.start()
    while "poll" not in open(f"/proc/self/task/{waiter.native_id}/stack").read():
        pass
    began = time.monotonic()
    request(b"bad" if b"ERANGE" in open(mnt + "/tasks/d/status", "rb").read() else b"2")
    waiter.join()
    if not woken or time.monotonic() - began > 5: # at its timeout poll looks once more
        sys.exit(f"FAILED: {name}: a waiter was not woken by another refusal")

    # Each handle is told until it has read the start itself.
    told(poll, fds, f"{name} after a change")
    os.pread(fds[0], 1000, 1)
    told(poll, fds, f"{name} after a read behind the start")
    after = os.pread(fds[0], 1000, 0)
    told(poll, fds[1:], f"{name} when one has read")
    expect(after, os.pread(fds[1], 1000, 0), f"what the other {name} shows")
    told(poll, [], f"{name} when both have read")
    if name != "state" and after == before:
        sys.exit(f"FAILED: {name} shows no change: {after}")
    with open(path) as file:
        file.read()
    told(poll, [], f"{name} when somebody else has read")
    for fd in fds:
        os.close(fd)

# The disk is made after all: the last that is told is its end.
fd = os.open(mnt + "/tasks/d/state", os.O_RDONLY)
poll = select.poll()
poll.register(fd, select.POLLPRI)
os.pread(fd, 100, 0)
waiter = threading.Thread(target=request, args=(b"40",))
waiter.start()
while True:
    if not poll.poll(10000):
        sys.exit("FAILED: not told of the end")
    if os.pread(fd, 100, 0) == b"completed\n":
        break
waiter.join()
expect([], poll.poll(300), "after the end")
END
need_root # to see whether it sleeps
timeout 60 "$python" -I -S "$tmp/program" "$mnt" || exit 1
