#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: two programs that remove the same folders and ignore errors would delete disks
# between them, though each was refused.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make a disk"
mkfifo "$tmp/go"
clear_away='import os, sys
for name in os.listdir(sys.argv[1]):
    try:
        os.unlink(sys.argv[1] + "/" + name)
    except OSError:
        pass
print("ready", flush=True)
open(sys.argv[2]).read()
try:
    os.rmdir(sys.argv[1])
except OSError:
    pass'
both=
for one in 1 2; do
    behind "$python" -I -S -c "$clear_away" "$mnt/disks/d" "$tmp/go" >"$tmp/said$one"
    both="$both $!"
    wait_until 10 [ -s "$tmp/said$one" ]
done
: >"$tmp/go"
for one in $both; do
    wait_until 10 has_ended "$one"
done
expect "d" "$(ls "$mnt/disks")" "the disks"
