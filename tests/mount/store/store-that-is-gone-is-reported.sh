#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a request would seem to succeed after the store was removed.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
rm -r "$store"
expect "write ENOENT" "$(answer "$mnt/new/e" 40)" "making a disk"
expect E_PATH_NOT_FOUND "$(sed 's/^[^ ]* //' "$mnt/tasks/e/result")" "result"
tail -n 1 "$mnt/errors" | grep -q ' new/e ENOENT E_PATH_NOT_FOUND .' ||
    fail "errors: $(cat "$mnt/errors")"
[ ! -e "$store" ] || fail "the store is there again"
[ ! -e "$mnt/disks/d" ] || fail "the disk is still shown"
expect completed "$(cat "$mnt/tasks/d/state")" "the record of what was made"
stop_vhdfs
