#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a file that another program put into the store could not be seen or deleted, or it
# would break lines of info and listings.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
cat >"$tmp/program" <<'END'
import json, os, shutil, sys

store, mnt = map(os.fsencode, sys.argv[1:])
names = [b"a b", b" ", b"-x", b".hidden", b"x~", b"x.", b"NUL", b"a*b", b"a\\b", b'a"b', b"a:b", b"a\tb", b"a\nb",
         b"a\nfault b", b"a\033[1mb", b"\377\376", b"a\200", "\u00e4\u65e5\U0001F600".encode(), b"x" * 251]
for name in names:
    shutil.copy(store + b"/d.vhd", store + b"/" + name + b".vhd")

listed = sorted(os.listdir(mnt + b"/disks"))
if listed != sorted(names + [b"d"]):
    sys.exit(f"FAILED: listed are {listed}")
for name in names:
    disk = mnt + b"/disks/" + name
    info = open(disk + b"/info", "rb").read()
    lines = info.split(b"\n")
    if len(lines) != 21 or lines[-1] != b"" or not lines[-2].startswith(b"fault -"):
        sys.exit(f"FAILED: the info of {name} has other lines: {info}")
    if open(disk + b"/path", "rb").read().count(b"\n") != 1:
        sys.exit(f"FAILED: the path of {name} has several lines")
    told = json.loads(open(disk + b"/info.json", "rb").read())["name"]
    try:
        if told != name.decode():
            sys.exit(f"FAILED: info.json tells another name: {told!r}, expected {name!r}")
    except UnicodeDecodeError:
        pass
    os.rmdir(disk)
    if os.path.exists(store + b"/" + name + b".vhd"):
        sys.exit(f"FAILED: {name} is not deleted")
END
"$python" -I -S "$tmp/program" "$store" "$mnt" || exit 1
expect d "$(ls -A "$mnt/disks")" "what is left"
