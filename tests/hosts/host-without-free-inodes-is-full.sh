#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: on a host without a free inode, a user would get an error other than "full", or
# find remains of the disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

loop_mount 32 "$tmp/host" mkfs.ext4 -q -m 0 -N 32
mkdir "$tmp/host/store"
count=0
while touch "$tmp/host/filler$count" 2>/dev/null; do
    count=$((count + 1))
    [ "$count" -lt 1000 ] || fail "there is no end of inodes"
done

out=$("$VHD_CREATE" "$tmp/host/store/d.vhd" 100) && fail "made without an inode"
expect E_DISK_FULL "${out%% *}" "without an inode"
expect "" "$(ls -A "$tmp/host/store")" "what a refusal leaves"
rm "$tmp/host/filler0"
expect S_OK "$("$VHD_CREATE" "$tmp/host/store/d.vhd" 100)" "with an inode"
