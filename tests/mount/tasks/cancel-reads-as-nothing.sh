#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program of root that reads every file could stop the mount, or read bytes from a
# file that has none.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root # other users cannot read it
start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
expect 0 "$(stat -c %s "$mnt/tasks/d/cancel")" "size of cancel"
expect "" "$(cat "$mnt/tasks/d/cancel")" "what cancel gives"
"$python" -I -S -c 'import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
for offset in 0, 0, 0, 1, 4096, 0:
    if os.pread(fd, 100, offset) != b"":
        sys.exit("FAILED: cancel gives something")' "$mnt/tasks/d/cancel" ||
            fail "cancel cannot be read"
expect completed "$(cat "$mnt/tasks/d/state")" "state"
