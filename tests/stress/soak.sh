#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: users who do everything at once for a long time would lose data, be refused for no
# reason or hang, or the daemon would leak.
#
# It takes 20 seconds, or VHD_SOAK_SECONDS. The seed is VHD_STRESS_SEED.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount/mount.sh"

need_command qemu-img
mkdir "$store" "$mnt"
undo "umount -l '$mnt' 2>/dev/null || fusermount3 -uz '$mnt' 2>/dev/null"
"$python" -I -S "$here/../stress/soak.py" "$VHDFS" "$store" "$mnt" "${VHD_SOAK_SECONDS:-20}" \
    "${VHD_STRESS_SEED:-$(date +%s)}" || fail "the soak"
