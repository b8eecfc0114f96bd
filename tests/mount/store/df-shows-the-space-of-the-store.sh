#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: nobody could see from the mount how much space is left for disks, or which store
# it shows.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

loop_mount 32 "$tmp/host" mkfs.ext4 -q
store=$tmp/host/store
start_vhdfs
for format in %S %s %b %f %a %c %d; do
    expect "$(stat -f -c $format "$tmp/host")" "$(stat -f -c $format "$mnt")" "stat -f -c $format"
done
fallocate -l 5M "$tmp/host/filler"
expect "$(stat -f -c '%f %a' "$tmp/host")" "$(stat -f -c '%f %a' "$mnt/disks")" \
    "free blocks with less space"
expect "$store" "$(df --output=source "$mnt" | tail -n 1)" "source by df"
expect "fuse.vhdfs" "$(findmnt -n -o FSTYPE "$mnt")" "type"
expect "$store" "$(findmnt -n -o SOURCE "$mnt")" "source"
grep "^$store $mnt " /proc/self/mounts | grep -q default_permissions ||
    fail "no default_permissions"
