#!/bin/sh
# If this failed: a disk would be half made, or called done, on a host that another program filled
# up after the free space was looked at. (VHD_FULL makes a disk and does the filling.)
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

loop_mount 32 "$tmp/host" mkfs.ext4 -q -m 0
for way in nameless folder named linkless; do
    "$VHD_FULL" "$tmp/host" "$way" || fail "full, $way"
done
