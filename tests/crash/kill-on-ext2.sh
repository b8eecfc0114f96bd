#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: on a file system that cannot reserve space, a program killed at a bad moment would
# leave half a fixed disk under the disk's name. There the library writes zeros instead.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

need_root
need_file_system ext2
# In memory, because the many flushes would wait for a real medium.
mount_memory
loop_mount 64 "$tmp/memory/host" mkfs.ext2 -q
TMPDIR=$tmp/memory/host "$VHD_KILL" fixed
