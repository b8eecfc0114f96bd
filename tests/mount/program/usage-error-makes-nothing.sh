#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a typing error in an option would leave unwanted folders behind.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

for options in bogus remount history=0 uid=me; do
    "$VHDFS" "$store" "$mnt" -o "$options" 2>/dev/null && fail "exit status 0 with -o $options"
    [ ! -e "$store" ] || fail "the store is there after -o $options"
    [ ! -e "$mnt" ] || fail "the mount point is there after -o $options"
done
