#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program that follows events would miss a change of a task, see it twice or out
# of order, or find no line of it.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/gate.sh
. "$(dirname "$0")/../gate.sh"

# told NAME: the states and percents of its lines, in one line
told()
{
    awk -v name="$1" '$3 == name { printf "%s%s %s", separator, $4, $5; separator = ", " }' \
        "$mnt/events"
}

start_vhdfs jobs=1
expect 0 "$(stat -c %s "$mnt/events")" "size at first"
tail -n +1 -f "$mnt/events" >"$tmp/followed" &
kill_later $!
make_disk a 40
echo 2 2>/dev/null >"$mnt/new/refused" && fail "a wrong request is accepted"
shut_gate reserve
echo '16 type=fixed' >"$mnt/new/b" || fail "cannot make b"
echo '16 type=fixed' >"$mnt/new/c" || fail "cannot make c"
echo 1 >"$mnt/tasks/c/cancel"
open_gate
expect completed "$(cat "$mnt/tasks/b/wait")" "the outcome of b"
wait_until 10 grep -q ' b completed 100$' "$mnt/events"

expect "running 0, completed 100" "$(told a)" "lines of quick work"
expect "failed 0" "$(told refused)" "lines of a refusal"
case $(told b) in
    "running 0, "*"completed 100") ;;
    *) fail "lines of long work: $(told b)" ;;
esac
expect "running 0, queued 0, cancelled 0" "$(told c)" "lines of a task that is cancelled in the queue"
grep -qvE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z [0-9]+ [^ ]+ [a-z]+ [0-9]+$' "$mnt/events" &&
    fail "another form: $(cat "$mnt/events")"
expect "$(stat -c %s "$mnt/events")" "$(wc -c <"$mnt/events")" "size"
wait_until 20 cmp -s "$mnt/events" "$tmp/followed"

# Of work that goes on for long, each line is new, and the percent grows.
: >"$gate_dir/no-reserve"
echo '600 type=fixed' >"$mnt/new/long" || fail "cannot make it"
expect completed "$(cat "$mnt/tasks/long/wait")" "the outcome"
wait_until 10 grep -q ' long completed 100$' "$mnt/events"
expect "$(grep -c ' long ' "$mnt/events")" \
    "$(grep ' long ' "$mnt/events" | cut -d ' ' -f 4-5 | uniq | wc -l)" "lines that differ"
grep ' long running' "$mnt/events" | cut -d ' ' -f 5 | sort -nc || fail "percent goes back"

# The last mebibyte is kept. A reader from the start gets each of its lines once, whole.
run_python "many tasks" '
import os, sys, threading
mnt = sys.argv[1]

def refuse(turn):
    for i in range(1700):
        try:
            fd = os.open(f"{mnt}/new/{turn}-{i}-" + "x" * 150, os.O_WRONLY | os.O_CREAT)
            os.write(fd, b"2")
        except OSError:
            pass
        finally:
            os.close(fd)

threads = [threading.Thread(target=refuse, args=(turn,)) for turn in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
size = os.stat(f"{mnt}/events").st_size
assert size > 1 << 20, size
fd = os.open(f"{mnt}/events", os.O_RDONLY)
text = b""
while part := os.read(fd, 10007):
    text += part
lines = text.decode().split("\n")
assert lines.pop() == ""
assert len(text) <= 1 << 20 and len(text) > (1 << 20) - 300, len(text)
assert len(set(lines)) == len(lines)
assert all(len(line.split(" ")) == 5 and line[:2] == "20" for line in lines), lines[0]
assert os.pread(fd, 1 << 20, size - len(text)) == text
assert os.pread(fd, 100, size) == b""
' "$mnt"
wait_until 20 sh -c "[ \$(wc -c <'$tmp/followed') -gt 1048576 ]"
