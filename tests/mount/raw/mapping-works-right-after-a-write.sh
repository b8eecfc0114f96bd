#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program that maps a disk right after another has written to it would sometimes
# get ENODEV, "no such device". Examples are dd and then a database or QEMU.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/watchdog.sh
. "$(dirname "$0")/../watchdog.sh"

start_vhdfs
watch_mount
make_disk d 16
pages dd-then-map 0 "$raw" 100
