#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a script would assume that it has stopped an ended task.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
echo 2 2>/dev/null >"$mnt/new/e"
for name in d e; do
    before=$(cat "$mnt/tasks/$name/status")
    expect "write ESRCH" "$(answer "$mnt/tasks/$name/cancel" 1)" "cancel of $name"
    expect "write ESRCH" "$(answer "$mnt/tasks/$name/cancel" "any text")" \
        "cancel of $name by any text"
    tail -n 1 "$mnt/errors" | grep -q " tasks/$name/cancel ESRCH " ||
        fail "errors: $(tail -n 1 "$mnt/errors")"
    echo 1 2>/dev/null >"$mnt/tasks/$name/cancel" && fail "echo has not failed"
    expect "$before" "$(cat "$mnt/tasks/$name/status")" "the status of $name"
done
[ -d "$mnt/disks/d" ] || fail "the disk is gone"
: >"$mnt/tasks/d/cancel" || fail "cancel cannot be opened without a write"
