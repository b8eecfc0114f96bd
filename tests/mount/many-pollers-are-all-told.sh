#!/bin/sh
# If this failed: with many programs that watch a task some would wait for ever, or those that stop
# watching would take others with them.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/mount.sh"
# shellcheck source=tests/mount/frozen.sh
. "$(dirname "$0")/frozen.sh"

start_vhdfs
freeze
make_behind d
maker=$!
cat >"$tmp/program" <<'END'
import os, select, sys, threading

mnt = sys.argv[1]
path = mnt + "/tasks/d/state"

# Two hundred files in one poll, fifty threads with one each, and a hundred that are given up.
fds = [os.open(path, os.O_RDONLY) for _ in range(200)]
poll = select.poll()
for fd in fds:
    poll.register(fd, select.POLLPRI)
    os.pread(fd, 100, 0)
told = []


def wait_alone():
    fd = os.open(path, os.O_RDONLY)
    os.pread(fd, 100, 0)
    alone = select.poll()
    alone.register(fd, select.POLLPRI)
    while os.pread(fd, 100, 0) != b"completed\n":
        if not alone.poll(20000):
            return
    told.append(fd)


threads = [threading.Thread(target=wait_alone) for _ in range(50)]
for thread in threads:
    thread.start()
given_up = select.epoll()
for i in range(100):
    fd = os.open(path, os.O_RDONLY)
    given_up.register(fd, select.EPOLLPRI)
    if i % 2:
        given_up.poll(0)
    os.close(fd)

# One file is closed while a thread sleeps in a poll of it; it is not told of anything.
closed = os.open(path, os.O_RDONLY)
os.pread(closed, 100, 0)
sleeper = threading.Thread(target=lambda: one.poll(500))
one = select.poll()
one.register(closed, select.POLLPRI)
sleeper.start()
os.close(closed)
sleeper.join()
if poll.poll(0) or told:
    sys.exit("FAILED: told before a change")
print("quiet", flush=True)

left = set(fds)
while left:
    ready = poll.poll(20000)
    if not ready:
        sys.exit(f"FAILED: {len(left)} of {len(fds)} files were not told of the end")
    for fd, _ in ready:
        if os.pread(fd, 100, 0) == b"completed\n":
            left.discard(fd)
for thread in threads:
    thread.join()
if len(told) != len(threads):
    sys.exit(f"FAILED: {len(told)} of {len(threads)} threads were told of the end")
END
"$python" -I -S "$tmp/program" "$mnt" >"$tmp/out" 2>&1 &
poller=$!
kill_later "$poller"
killed=
for i in 1 2 3 4 5 6; do
    poll_behind "$tmp/killed$i" "$mnt/tasks/d" state status
    killed="$killed $!"
done
wait_until 20 grep -q . "$tmp/out"
grep -qx quiet "$tmp/out" || fail "$(cat "$tmp/out")"

# Who is killed in a poll hinders nobody.
for pid in $killed; do
    kill -KILL "$pid"
    wait_until 10 has_ended "$pid"
done
expect running "$(timeout 10 cat "$mnt/tasks/d/state")" "state"
thaw
ends_with 0 "$maker" "the maker"
wait_until 60 has_ended "$poller"
wait "$poller" || fail "$(cat "$tmp/out")"
expect completed "$(cat "$mnt/tasks/d/state")" "state"
