#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user who watches a long task would see no bar, a wrong one, or a mess on the
# terminal; or programs that walk the tree would hang.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/gate.sh
. "$(dirname "$0")/../gate.sh"

# is_listed NAME: progress is listed among the files of its task
is_listed()
{
    names "$mnt/tasks/$1" | grep -qw progress
}

start_vhdfs
shut_gate reserve
echo '16 type=fixed' >"$mnt/new/d" || fail "cannot make d"
wait_until 20 is_in running d

# The first picture comes at once. Then a read waits, until a signal ends it.
status=0
timeout 1 cat "$mnt/tasks/d/progress" >"$tmp/said" || status=$?
expect 124 $status "exit status of a reader that a signal ends"
printf '\rd create [................]   0%%' >"$tmp/wanted"
cmp -n "$(wc -c <"$tmp/wanted")" "$tmp/wanted" "$tmp/said" || fail "it shows: $(cat "$tmp/said")"
expect 80 "$(wc -c <"$tmp/said")" "bytes of one picture"
is_listed d && fail "a file that blocks is listed"
# A plain user cannot read cancel.
within 10 grep -r --exclude=cancel . "$mnt/tasks" >/dev/null || fail "grep -r hangs or fails"

# Many readers take no thread.
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    behind cat "$mnt/tasks/d/progress" >"$tmp/reader$i"
    readers="${readers-} $!"
done
within 5 cat "$mnt/version" >/dev/null || fail "readers of progress block others"
open_gate
for reader in $readers; do
    ends_with 0 "$reader" "a reader"
done
for i in 1 15 30; do
    expect 'd create [################] 100%  completed' \
        "$(tr '\r' '\n' <"$tmp/reader$i" | tail -n 1 | sed 's/ *$//')" "the last picture"
done

# An ended task has one line, whose size is known.
cat "$mnt/tasks/d/progress" >"$tmp/said"
expect 'd create [################] 100%  completed' "$(cat "$tmp/said")" "the line of an ended task"
expect "$(stat -c %s "$mnt/tasks/d/progress")" "$(wc -c <"$tmp/said")" "its size"
is_listed d || fail "it is not listed after the end"

# Work that moves bytes: the rate and the time left. Names of any length and script.
: >"$gate_dir/no-reserve"
long=$(printf '%0200d' 0)
for name in "$long" 仮想ディスクの名前は長い; do
    echo '600 type=fixed' >"$mnt/new/$name" || fail "cannot make $name"
    run_python "the pictures of a task that writes" '
import json, os, re, sys, time, unicodedata
folder, readme = sys.argv[1:]
fd = os.open(folder + "/progress", os.O_RDONLY)
pictures, begun, first = [], time.monotonic(), None
rates = []
while True:
    part = os.read(fd, 4096)
    if not part:
        break
    pictures.append(part.decode())
    rates.append(json.load(open(folder + "/status.json")))
lasted = time.monotonic() - begun
assert len(pictures) > 1, pictures
assert len(pictures) <= lasted * 4 + 3, f"{len(pictures)} pictures in {lasted} s"
form = (r"\r\S+ create \[(#*)\.*\] +(\d+)%(  \d+ MB/s  \d+:\d\d left|  \w+)? *")
percents = []
for picture in pictures:
    match = re.fullmatch(form + ("\n" if picture is pictures[-1] else ""), picture)
    assert match, picture
    percents.append(int(match.group(2)))
    assert len(match.group(1)) == percents[-1] * 16 // 100, picture
    columns = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1
                  for c in picture.strip("\r\n"))
    assert columns <= 79, (columns, picture)
assert percents == sorted(percents) and percents[-1] == 100, percents
assert any("MB/s" in picture for picture in pictures), pictures
assert any(isinstance(status["rate"], int) and isinstance(status["left"], int)
           for status in rates), rates
assert rates[-1]["rate"] is None and rates[-1]["left"] is None, rates[-1]
# The picture in README.md has this form too.
shown = [line for line in open(readme) if re.match(r"\S+ create \[", line)]
assert len(shown) == 1 and re.fullmatch(form, "\r" + shown[0].rstrip("\n")), shown
' "$mnt/tasks/$name" "$here/../../README.md"
    rmdir "$mnt/disks/$name"
done

# Small reads, reads at 0 again, and a task that is cancelled.
shut_gate reserve
rm "$gate_dir/no-reserve"
echo '16 type=fixed' >"$mnt/new/e" || fail "cannot make e"
wait_until 20 is_in running e
run_python "reads of any size" '
import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
small = b"".join(os.read(fd, 7) for _ in range(12))[:80]
assert small.startswith(b"\re create [") and len(small) == 80, small
assert os.pread(fd, 4096, 0) == small
assert os.pread(fd, 4, 3) == small[3:7]' "$mnt/tasks/e/progress"
behind cat "$mnt/tasks/e/progress" >"$tmp/said"
reader=$!
echo 1 >"$mnt/tasks/e/cancel"
open_gate
ends_with 0 "$reader" "a reader of a cancelled task"
tr '\r' '\n' <"$tmp/said" | tail -n 1 | grep -q '^e create \[.*  cancelled *$' ||
    fail "it shows: $(cat "$tmp/said")"
