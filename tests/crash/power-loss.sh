#!/bin/sh
# SPDX-License-Identifier: MIT
# power-loss.sh ext4|xfs
#
# If this failed: on such a file system a power cut would take a disk that had been reported done,
# or leave half a disk under its name. Then the test itself is tested on ext4: with a step left
# out it has to notice. (VHD_POWER makes the disks and takes the power.)
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

type=$1
enter_own_mounts "$@"
# In memory, for what is lost here is never in a medium.
make_volume "$type"
mkdir "$tmp/mnt"

for way in nameless folder named linkless fixed child snapshot rebase; do
    "$VHD_POWER" "$device" "$type" "$tmp/mnt" "$way" || fail "power loss, $way"
done
[ "$type" = ext4 ] || exit 0
for mutation in no-file-sync late-file-sync no-folder-sync; do
    "$VHD_POWER" "$device" "$type" "$tmp/mnt" nameless "$mutation" || fail "$mutation"
done
