#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: after a user removes the lock file, two daemons would change one store, each as if
# it were the only one.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d
echo kept 1<>"$raw"
rm "$store/.vhdfs-lock"

# refused WHERE: the last line of errors shows this path, the fault and the remedy
refused()
{
    tail -n 1 "$mnt/errors" | grep -q " $1 EIO VM_E_HD_IMAGE_ACCESS .*lock file.*mount it again" ||
        fail "errors: $(tail -n 1 "$mnt/errors")"
}
expect "open EIO" "$(answer "$mnt/new/e" 40)" "making a disk"
refused new/e
expect "open EIO" "$(answer "$raw" x)" "writing to a disk"
refused disks/d/raw
rmdir "$mnt/disks/d" 2>/dev/null && fail "a disk can be deleted"
refused disks/d
mv "$mnt/disks/d" "$mnt/disks/f" 2>/dev/null && fail "a disk can be renamed"
refused disks/d
truncate -s 0 "$raw" 2>/dev/null && fail "a disk can be emptied"
expect kept "$(head -n 1 "$raw")" "reading a disk"

stop_vhdfs
start_vhdfs
echo more 1<>"$raw" || fail "it stays so after another mount"
