#!/usr/bin/env python3
"""Wait for the end of a task by poll(2): poller.py [-e] [-n] FOLDER FILE...

Opens each FILE of the task's FOLDER twice, says "quiet" once none is reported as changed, and then
waits: what is reported is read from its start. Ends once all has been reported and read that the
end of the task has changed, and prints the first line of each as it was read then.

  -e  wait with epoll rather than with poll
  -n  read nothing before it is reported
"""
import os
import select
import sys

ENDS = "completed\n", "failed\n", "cancelled\n"


def expect(wanted, got, what):
    if got != wanted:
        sys.exit(f"FAILED: {what}: expected {wanted}, got {got}")


def read(fd):
    return os.pread(fd, 10000, 0).decode()


def now(folder, name):
    with open(f"{folder}/{name}") as file:
        return file.read()


def main(options, folder, names):
    poller = select.epoll() if "-e" in options else select.poll()
    unit = 1 if "-e" in options else 1000
    files = {}
    for name in names * 2:
        fd = os.open(f"{folder}/{name}", os.O_RDONLY)
        files[fd] = name
        if "-n" not in options:
            read(fd)
        poller.register(fd, select.POLLPRI)
    expect([], poller.poll(0.3 * unit), "before a change")
    print("quiet", flush=True)
    waiting = set(files)
    while waiting:
        ready = poller.poll(20 * unit)
        if not ready:
            left = sorted(files[fd] for fd in waiting)
            sys.exit(f"FAILED: not told of the end: {left}")
        has_ended = now(folder, "state") in ENDS
        for fd, events in ready:
            name = files[fd]
            expect(select.POLLPRI | select.POLLERR, events & ~select.POLLIN, name)
            if fd not in waiting:
                sys.exit(f"FAILED: {name} is reported once more")
            text = read(fd)
            if has_ended:
                expect(now(folder, name), text, "what is read of " + name)
            if now(folder, "state") in ENDS and text == now(folder, name):
                print(name, text.split(",")[0].split("\n")[0].strip(), flush=True)
                waiting.remove(fd)
    expect([], poller.poll(0.3 * unit), "once all has been read")


first = 1
while sys.argv[first].startswith("-"):
    first += 1
main(sys.argv[1:first], sys.argv[first], sys.argv[first + 1:])
