#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: nobody could look at disks on a CD or a read-only share, or vhdfs would promise to
# make disks there.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

loop_mount 16 "$tmp/host" mkfs.ext4 -q
store=$tmp/host/store
start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
stop_vhdfs
mount -o remount,ro "$tmp/host" || fail "cannot make the host read-only"

status=0
"$VHDFS" "$store" "$mnt" 2>"$tmp/said" || status=$?
expect 2 "$status" "exit status without -o ro"
grep -q -e 'mount with -o ro' "$tmp/said" || fail "it does not say what to do: $(cat "$tmp/said")"
is_mounted "$mnt" && fail "it is mounted"

start_vhdfs ro
expect "d 40" "$(ls "$mnt/disks") $(cat "$mnt/disks/d/size")" "the disk"
expect "open EROFS" "$(answer "$mnt/new/e" 40)" "making a disk"
stop_vhdfs
mount -o remount,rw "$tmp/host" || fail "cannot make the host writable again"
