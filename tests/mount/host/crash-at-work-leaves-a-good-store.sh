#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: after a crash during a request the store would hold half a disk, or could not be
# mounted again.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/frozen.sh
. "$(dirname "$0")/../frozen.sh"

start_vhdfs
for name in a b c; do
    echo 40 >"$mnt/new/$name" || fail "cannot make $name"
done
freeze
make_behind d
maker=$!
kill -KILL "$daemon"
thaw
wait_until 20 has_ended "$maker"
wait_until 20 has_ended "$daemon"
wait "$maker" && fail "the maker learnt that all is well"
wait_until 20 is_not_mounted "$mnt"
wait_until 20 [ ! -e "$tmp/pid" ]

start_vhdfs
expect "a b c" "$(names "$mnt/disks" | sed 's/ d$//')" "the disks"
for disk in "$mnt"/disks/*; do
    expect "40 -" "$(cat "$disk/size") $(value "$disk/info" fault)" "${disk##*/}"
done
expect "" "$(find "$store" -mindepth 1 ! -name .vhdfs-lock ! -name '[abcd].vhd')" \
    "what else is in the store"
expect "" "$(ls "$mnt/tasks")" "the records"
echo 40 >"$mnt/new/e" || fail "cannot make e"
