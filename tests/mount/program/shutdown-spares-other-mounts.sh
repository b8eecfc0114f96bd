#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a daemon that still serves an open file after `umount -l` would, at its end,
# unmount a later mount in its place.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root
start_vhdfs
exec 3<"$mnt/version"
umount -l "$mnt" || fail "umount -l: exit status $?"
mount -t tmpfs other "$mnt" || fail "cannot mount another file system"
undo "umount -l '$mnt' 2>/dev/null"
echo precious >"$mnt/file"
kill "$daemon"
exec 3<&-
wait_until 20 has_ended "$daemon"
expect precious "$(cat "$mnt/file")" "what is mounted in its place"
