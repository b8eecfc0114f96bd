#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program that removes files and folder in several threads would delete a disk in
# spite of a refusal. Many programs in Go or Java do so.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
"$python" -I -S -c 'import os, sys, threading


def refused(call, name):
    try:
        call(name)
    except OSError:
        pass


for call, name in (os.unlink, "/info"), (os.unlink, "/size"), (os.rmdir, ""):
    thread = threading.Thread(target=refused, args=(call, sys.argv[1] + name))
    thread.start()
    thread.join()' "$mnt/disks/d" || fail "exit status $?"
[ -f "$store/d.vhd" ] || fail "the disk was deleted"
