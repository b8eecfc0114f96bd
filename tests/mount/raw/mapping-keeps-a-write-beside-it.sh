#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a synced write beside another program's mapping, to other bytes of the same page,
# would be lost.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/watchdog.sh
. "$(dirname "$0")/../watchdog.sh"

start_vhdfs
watch_mount
make_disk d 16
for flags in wronly rdwr append; do
    pages page-shared 2 "$raw" $flags
done
