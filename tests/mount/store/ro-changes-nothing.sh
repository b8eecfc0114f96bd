#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a mount with `-o ro` would let users make or delete disks, or leave traces in the
# store.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
stop_vhdfs
touch "$store/.vhdfs-draft-0123456789abcdef"
before=$(find "$store" -printf '%f %s %T@ %i\n' | sort)

start_vhdfs ro
expect "d 40" "$(ls "$mnt/disks") $(cat "$mnt/disks/d/size")" "the disk"
grep -q "^[^ ]* $mnt fuse[^ ]* ro[, ]" /proc/self/mounts || fail "it is not mounted read-only"
expect "open EROFS" "$(answer "$mnt/new/e" 40)" "making a disk"
expect "open EROFS" "$(answer "$mnt/new/d" 40)" "making one that exists"
touch "$mnt/new/e" 2>/dev/null && fail "new/e can be touched"
rmdir "$mnt/disks/d" 2>"$tmp/said" && fail "the disk can be deleted"
grep -q 'Read-only file system' "$tmp/said" || fail "rmdir says: $(cat "$tmp/said")"
mkdir "$mnt/x" 2>/dev/null && fail "mkdir has worked"
stop_vhdfs
expect "$before" "$(find "$store" -printf '%f %s %T@ %i\n' | sort)" "the store"
