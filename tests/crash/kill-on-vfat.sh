#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: on a USB stick or a memory card a program killed at a bad moment would leave half
# a disk under the disk's name, or leftovers. vfat knows neither files without a name nor links.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

need_root
need_file_system vfat
loop_mount 64 "$tmp/stick" mkfs.vfat
TMPDIR=$tmp/stick "$VHD_KILL" nameless
