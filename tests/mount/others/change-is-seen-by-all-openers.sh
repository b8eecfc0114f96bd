#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: after other programs change an image or its parent, several programs would open
# the disk together. Some of them would read old content.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/watchdog.sh
. "$(dirname "$0")/../watchdog.sh"

start_vhdfs
make_disk parent 64
"$python" -I -S "$here/child.py" "$store/parent.vhd" "$tmp/child.vhd" || fail "cannot make a child"
tr '\0' a </dev/zero | dd of="$raw" bs=1M count=64 iflag=fullblock conv=notrunc,fsync status=none ||
    fail "cannot fill the parent"
stop_vhdfs
mv "$tmp/child.vhd" "$store/child.vhd"
# The offset of the last page of the last block. The table is at 1536.
at=$("$python" -I -S -c 'import struct, sys
image = open(sys.argv[1], "rb")
image.seek(1536 + 31 * 4)
print((struct.unpack(">I", image.read(4))[0] + 1) * 512 + (2 << 20) - 4096)' "$store/parent.vhd")

start_vhdfs
watch_mount
pages opened-together 4 "$mnt/disks/parent/raw" "$store/parent.vhd" "$at"
pages opened-together 4 "$mnt/disks/child/raw" "$store/parent.vhd" "$at"
