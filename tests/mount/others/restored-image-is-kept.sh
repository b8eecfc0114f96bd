#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user who restores an image in place, while a program has its disk open for
# writing, would find the restored image spoilt. A mounted loop device is such a program.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d 20
noise 2097152 1 | dd of="$raw" bs=1M conv=notrunc,fsync iflag=fullblock status=none
cp "$store/d.vhd" "$tmp/backup"
run_python "a writer beside a restore" '
import os, sys
raw, image, backup = sys.argv[1:]
fd = os.open(raw, os.O_WRONLY)
os.pwrite(fd, b"x" * (1 << 20), 4 << 20)
os.fsync(fd)
with open(backup, "rb") as source, open(image, "wb") as target:
    target.write(source.read())
failed = 0
for call in [lambda at=at: os.pwrite(fd, b"y" * (1 << 20), at << 20) for at in (6, 8, 10)] + [
        lambda: os.fsync(fd)]:
    try:
        call()
    except OSError:
        failed += 1
assert failed == 4, f"{failed} of 4 calls fail"
try:
    os.close(fd)
except OSError:
    pass' "$raw" "$store/d.vhd" "$tmp/backup"
grep -q ' disks/d/raw EIO ' "$mnt/errors" || fail "errors: $(cat "$mnt/errors")"
stop_vhdfs
# A growth during the restore may have put a footer behind the end of the image.
cmp -n "$(stat -c %s "$tmp/backup")" "$tmp/backup" "$store/d.vhd" ||
    fail "the restored image is not as it was restored"
start_vhdfs
noise 2097152 1 >"$tmp/noise"
cmp -n 2097152 "$tmp/noise" "$raw" || fail "the restored disk has other content"
run_python "the restored disk behind its data" '
import sys
with open(sys.argv[1], "rb") as raw:
    raw.seek(2 << 20)
    rest = raw.read()
assert len(rest) == 18 << 20 and rest.count(0) == len(rest)' "$raw"
