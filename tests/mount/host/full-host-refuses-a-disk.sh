#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: vhdfs would make a disk on a host with no space for its first block, or the writer
# would not learn the cause.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command fallocate
loop_mount 32 "$tmp/host" mkfs.ext4 -q -m 0
store=$tmp/host/store
start_vhdfs
echo 40 >"$mnt/new/before" || fail "cannot make a disk on an empty host"
free=$(($(stat -f -c '%a * %S' "$tmp/host")))
fallocate -l $((free - 4 * 1048576)) "$tmp/host/filler" || fail "cannot fill the host"

expect "write ENOSPC" "$(answer "$mnt/new/d" 40)" "a disk on a full host"
expect "failed ENOSPC" "$(cat "$mnt/tasks/d/state" "$mnt/tasks/d/errno" | paste -sd ' ')" \
    "the record"
expect E_DISK_FULL "$(sed 's/^[^ ]* //' "$mnt/tasks/d/result")" "result"
tail -n 1 "$mnt/errors" | grep -q ' new/d ENOSPC E_DISK_FULL .' ||
    fail "errors: $(cat "$mnt/errors")"
grep -q "^[34] MB are free in \"$store\", but a disk needs at least 8 MB; free some" "$mnt/tasks/d/error" ||
    fail "the free space is not told in MB: $(cat "$mnt/tasks/d/error")"
echo 40 2>"$tmp/said" >"$mnt/new/d" && fail "echo has not failed"
expect "before.vhd" "$(ls "$store")" "the store"
expect "write ENOSPC" "$(answer "$mnt/new/d" 3)" "the smallest disk on a full host"
expect "40 -" "$(cat "$mnt/disks/before/size") $(value "$mnt/disks/before/info" fault)" \
    "the disk from before"

rm "$tmp/host/filler"
expect "done" "$(answer "$mnt/new/d" 40)" "after the host has space again"
