#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: `touch new/x` or `: > new/x` would make a disk, leave a record, or fail a script
# that does so before it writes.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs

is_gone()
{
    [ ! -e "$mnt/new/$1" ]
}

# nothing NAME COMMAND...: it succeeds and makes nothing
nothing()
{
    name=$1
    shift
    "$@" || fail "exit status $? of: $*"
    wait_until 5 is_gone "$name"
    expect "" "$(names "$mnt/new")$(names "$mnt/tasks")$(names "$mnt/disks")" "after: $*"
    expect "" "$(cat "$mnt/errors")" "refusals after: $*"
}

nothing touch touch "$mnt/new/touch"
nothing colon sh -c ": > '$mnt/new/colon'"
nothing append sh -c ": >> '$mnt/new/append'"
nothing cp cp /dev/null "$mnt/new/cp"
nothing dd dd if=/dev/null "of=$mnt/new/dd" status=none
nothing truncate truncate -s 0 "$mnt/new/truncate"
nothing truncate5 truncate -s 5 "$mnt/new/truncate5"
nothing python "$python" -I -S -c 'import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
os.write(fd, b"")
os.fsync(fd)
os.close(os.dup(fd))
os.close(fd)' "$mnt/new/python"

# A touched name accepts a request.
touch "$mnt/new/touch"
echo 40 >"$mnt/new/touch" || fail "a touched name is refused"
[ -d "$mnt/disks/touch" ] || fail "no disk"
