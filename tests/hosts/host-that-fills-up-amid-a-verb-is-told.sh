#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a disk would be lost, or have two names, if another program fills the host while a
# verb changes it. (VHD_FULL has the verb done and fills the host.)
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

loop_mount 32 "$tmp/host" mkfs.ext4 -q -m 0
for way in snapshot rebase; do
    "$VHD_FULL" "$tmp/host" "$way" || fail "full, $way"
done
