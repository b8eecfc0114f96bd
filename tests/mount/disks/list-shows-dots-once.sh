#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a file named "..vhd" or "...vhd" in the store would appear as a second "." or ".."
# in disks. Programs that walk the tree could leave it or never end.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

mkdir "$store"
: >"$store/..vhd"
: >"$store/...vhd"
: >"$store/.vhd"
start_vhdfs
# shellcheck disable=SC2012 # find leaves both out
expect ". .." "$(ls -a "$mnt/disks" | paste -sd ' ')" "what is listed"
[ -f "$store/..vhd" ] || fail "..vhd is gone"
