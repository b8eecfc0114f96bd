#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: any user could see and make disks, or -o allow_other would let nobody in.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root
need_command setpriv
chmod 755 "$tmp"

# asks PATH: the answer to a request of another user for that path
asks()
{
    echo 40 | as_nobody dd "of=$1" status=none 2>&1 | sed 's/.*: //'
}

start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
as_nobody cat "$mnt/version" >/dev/null 2>&1 && fail "another user is let in"
stop_vhdfs

start_vhdfs allow_other
expect 40 "$(as_nobody cat "$mnt/disks/d/size")" "size as another user sees it"
as_nobody ls -lR "$mnt" >/dev/null || fail "another user cannot list the tree"
expect "Permission denied" "$(asks "$mnt/new/e")" "another user makes a disk"
as_nobody rmdir "$mnt/disks/d" 2>/dev/null && fail "another user has deleted a disk"
as_nobody sh -c "echo > '$mnt/errors'" 2>/dev/null && fail "another user has cleared errors"
stop_vhdfs

start_vhdfs allow_other uid=65534 umask=077
expect "" "$(asks "$mnt/new/e")" "the owner by uid= makes a disk"
expect "d e" "$(as_nobody ls "$mnt/disks" | paste -sd ' ')" "the disks as he sees them"
as_nobody rmdir "$mnt/disks/e" || fail "the owner by uid= cannot delete a disk"
