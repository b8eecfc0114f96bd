#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: any user who can look into a store could keep vhdfs from starting there.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
need_root
need_command setpriv
chmod 755 "$tmp"

start_vhdfs
make_disk d 16
stop_vhdfs
chmod 755 "$store"
expect 600 "$(stat -c %a "$store/.vhdfs-lock")" "mode of the lock file"
# Lock all bytes of each file.
hold_locks 0 0 "$store"/.[!.]* "$store"/*
"$VHDFS" "$store" "$mnt" -o "pidfile=$tmp/pid" 2>"$tmp/said" ||
    fail "vhdfs does not start: $(cat "$tmp/said")"
read -r daemon <"$tmp/pid"
end_later "$daemon"
[ -e "$mnt/disks/d/raw" ] || fail "the disk is not there"
echo 8 >"$mnt/new/other" || fail "cannot make a disk"
