#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a web server, a file server or cp, which let the kernel copy, would pass on old
# content of a disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/watchdog.sh
. "$(dirname "$0")/../watchdog.sh"

start_vhdfs
watch_mount
make_disk d 16
pages kernel-copies 2 "$raw"
