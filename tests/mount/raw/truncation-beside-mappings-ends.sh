#!/bin/sh
# If this failed: who empties a disk that others have mapped would hang, with no way to end it but a
# restart of the machine.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/watchdog.sh
. "$(dirname "$0")/../watchdog.sh"

start_vhdfs
watch_mount
make_disk d 256
pages emptied-beside 8 "$raw"
