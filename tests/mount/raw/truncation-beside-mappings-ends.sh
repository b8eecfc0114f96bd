#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a truncation to 0 of a disk that others have mapped would hang, and only a restart
# of the machine would end it.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/watchdog.sh
. "$(dirname "$0")/../watchdog.sh"

start_vhdfs
watch_mount
make_disk d 256
pages truncated-beside 8 "$raw"
