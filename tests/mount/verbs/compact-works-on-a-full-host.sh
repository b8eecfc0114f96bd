#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: compacting would need free space when it is needed most.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

loop_mount 60 "$tmp/host" mkfs.ext4 -q
store=$tmp/host/store
start_vhdfs
noise 30000000 1 >"$tmp/noise"
make_disk d 40
dd if="$tmp/noise" of="$raw" bs=1M conv=notrunc,fsync status=none
dd if=/dev/zero of="$raw" bs=1M count=20 conv=notrunc,fsync status=none
content=$(cksum <"$raw")
dd if=/dev/zero of="$tmp/host/filler" bs=1M status=none 2>/dev/null
dd if=/dev/zero of="$tmp/host/filler2" bs=512 status=none 2>/dev/null
before=$(stat -c %b "$store/d.vhd")
verb d compact
[ "$(stat -c %b "$store/d.vhd")" -lt $((before - 2 * 15 * 1024)) ] ||
    fail "$(stat -c %b "$store/d.vhd") of $before sectors are left"
expect "$content" "$(cksum <"$raw")" "content"
stop_vhdfs
