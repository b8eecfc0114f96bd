#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program that has new/a open would make a disk of another name, after a disk "a"
# was made, renamed and deleted.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
cat >"$tmp/program" <<'END'
import os, sys

mnt = sys.argv[1]


def request(name):
    return os.open(f"{mnt}/new/{name}", os.O_WRONLY | os.O_CREAT)


late = request("a")
os.write(request("a"), b"40")
os.rename(mnt + "/disks/a", mnt + "/disks/b")
os.rmdir(mnt + "/disks/b")
os.write(late, b"41")
END
"$python" -I -S "$tmp/program" "$mnt" || fail "exit status $?"
expect a "$(names "$mnt/disks")" "the disks"
expect 41 "$(cat "$mnt/disks/a/size")" "size of a"
