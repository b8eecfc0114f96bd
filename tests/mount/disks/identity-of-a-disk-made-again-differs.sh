#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: programs would mistake a new disk for the earlier disk of the same name.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
id=$(cat "$mnt/tasks/d/id")
uuid=$(cat "$mnt/disks/d/uuid")
cd "$mnt/disks/d" || exit 1
rmdir "$mnt/disks/d" || fail "cannot delete d"
ls . >"$tmp/shown" 2>&1 && fail "the folder of the deleted disk shows: $(cat "$tmp/shown")"
echo 50 >"$mnt/new/d" || fail "cannot make d again"

expect 50 "$(cat "$mnt/disks/d/size")" "size of the second"
[ "$(cat "$mnt/disks/d/uuid")" != "$uuid" ] || fail "both have one uuid"
[ "$(cat "$mnt/tasks/d/id")" -gt "$id" ] || fail "the record is that of the first"
cat info >"$tmp/shown" 2>/dev/null &&
    fail "the folder of the first shows the second: $(cat "$tmp/shown")"

# Repeat it many times.
i=0
while [ $i -lt 50 ]; do
    rmdir "$mnt/disks/d" || fail "cannot delete d"
    [ ! -e "$mnt/disks/d" ] || fail "d is still there"
    echo 40 >"$mnt/new/d" || fail "cannot make d"
    [ -d "$mnt/disks/d" ] || fail "d is not there"
    i=$((i + 1))
done
[ "$(cat "$mnt/tasks/d/id")" -gt $((id + 50)) ] || fail "ids were used again"
