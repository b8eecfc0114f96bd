#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: after a crash the disks would need a repair before use.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
for name in a b c; do
    echo 40 >"$mnt/new/$name" || fail "cannot make $name"
done
rmdir "$mnt/disks/b"
before=$(cksum "$store"/*.vhd)
kill -KILL "$daemon"
wait_until 20 has_ended "$daemon"
cat "$mnt/version" 2>/dev/null && fail "somebody still answers"
wait_until 20 is_not_mounted "$mnt"
wait_until 20 [ ! -e "$tmp/pid" ]

start_vhdfs
expect "a c" "$(names "$mnt/disks")" "the disks"
expect "$before" "$(cksum "$store"/*.vhd)" "the images"
expect "40 -" "$(cat "$mnt/disks/a/size") $(value "$mnt/disks/a/info" fault)" "a"
expect "" "$(ls "$mnt/tasks")" "the records"
echo 40 >"$mnt/new/b" || fail "cannot make b again"
