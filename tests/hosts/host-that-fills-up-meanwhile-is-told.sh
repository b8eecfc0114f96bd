#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user would get half a disk, or a success without a disk, if another program
# fills the host after the check of free space. (VHD_FULL makes the disk and fills the host.)
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

loop_mount 32 "$tmp/host" mkfs.ext4 -q -m 0
for way in nameless folder named linkless fixed child; do
    "$VHD_FULL" "$tmp/host" "$way" || fail "full, $way"
done
