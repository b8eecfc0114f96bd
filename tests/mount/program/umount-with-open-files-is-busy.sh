#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: umount would take files away from programs that use them, or leave the daemon
# behind.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root
start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
exec 3<"$mnt/tasks/d/status"
umount "$mnt" 2>"$tmp/said" && fail "unmounted while a file is open"
grep -q busy "$tmp/said" || fail "umount says: $(cat "$tmp/said")"
expect 40 "$(cat "$mnt/disks/d/size")" "size afterwards"
exec 3<&-
cd "$mnt/disks" || exit 1
umount "$mnt" 2>/dev/null && fail "unmounted while a program is in a folder"
cd / || exit 1
umount "$mnt" || fail "cannot unmount: exit status $?"
daemon_ends

# A lazy unmount waits for the last close.
start_vhdfs
exec 3<"$mnt/disks/d/info"
umount -l "$mnt" || fail "umount -l: exit status $?"
grep -q '^size 40$' <&3 || fail "the open file is no longer served"
exec 3<&-
daemon_ends
