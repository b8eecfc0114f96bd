#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: on a read-only file system, a user would get an error with another cause.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

loop_mount 32 "$tmp/host" mkfs.ext4 -q -m 0
mkdir "$tmp/host/store"
mount -o remount,ro "$tmp/host" || fail "cannot make the mount read-only"

for path in store/d.vhd missing/d.vhd; do
    out=$("$VHD_CREATE" "$tmp/host/$path" 100) && fail "$path: made on a read-only mount"
    expect VM_E_FILE_READ_ONLY "${out%% *}" "$path"
done
expect "" "$(ls -A "$tmp/host/store")" "what a refusal leaves"
[ ! -e "$tmp/host/missing" ] || fail "a folder was made"
