#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a store to a private mapping would reach the disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/watchdog.sh
. "$(dirname "$0")/../watchdog.sh"

start_vhdfs
watch_mount
make_disk d 16
pages private-mapping 1 "$raw"
