#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: reading a disk from its start to its end would be a third slower than possible.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root
start_vhdfs
device=$(awk -v mnt="$mnt" '$5 == mnt { print $3 }' /proc/self/mountinfo)
[ -r "/sys/class/bdi/$device/read_ahead_kb" ] || skip "needs /sys/class/bdi"
expect 1024 "$(cat "/sys/class/bdi/$device/read_ahead_kb")" "KiB that are read ahead"
