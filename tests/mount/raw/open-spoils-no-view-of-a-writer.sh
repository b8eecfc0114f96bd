#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program would not read back its own last write, as soon as another opens the
# disk, even without rights. A file system on a loop device would be damaged.
#
# Usage: open-spoils-no-view-of-a-writer.sh file|mapping|apart|loop
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/watchdog.sh
. "$(dirname "$0")/../watchdog.sh"

way=$1
chmod 755 "$tmp"
need_root # for the watchdog, and for openers of other users
start_vhdfs allow_other
watch_mount
make_disk d 16
wanted=$way
if [ "$way" = loop ]; then
    loop_device "$raw"
    wanted=$loop
fi
# O_DIRECT affects the page cache most, so it runs alone too. Then all openers run together.
[ "$way" != file ] || pages own-writes 2 "$raw" "$wanted" direct
pages own-writes 4 "$raw" "$wanted"
