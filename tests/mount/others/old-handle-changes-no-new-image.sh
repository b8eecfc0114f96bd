#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a file of a disk that was opened before its image was replaced would change the
# new image. A truncation or a chmod by that file would damage a restored backup.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d 20
noise 2097152 1 | dd of="$raw" bs=1M conv=notrunc,fsync iflag=fullblock status=none
wait_until 5 sh -c ": 1<>'$raw'"
cp "$store/d.vhd" "$tmp/backup"
chmod 600 "$tmp/backup"
before=$(cksum <"$tmp/backup")
run_python "a file of the former image" '
import os, sys
raw, image, backup = sys.argv[1:]
fd = os.open(raw, os.O_RDWR)
os.rename(backup, image)
os.stat(raw)
for call, argument in (os.ftruncate, 0), (os.fchmod, 0o666):
    try:
        call(fd, argument)
    except OSError:
        continue
    assert call is os.fchmod and os.stat(image).st_mode & 0o777 == 0o600, call
os.close(fd)' "$raw" "$store/d.vhd" "$tmp/backup"
stop_vhdfs
expect "$before" "$(cksum <"$store/d.vhd")" "the new image"
expect 600 "$(stat -c %a "$store/d.vhd")" "its mode"
