#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program that fails to remove a disk would not learn the reason.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
"$python" -I -S -c 'import errno, os, sys

os.chdir(sys.argv[1])
for name in os.listdir("."):
    try:
        os.unlink(name)
    except OSError as error:
        if error.errno != errno.EPERM:
            sys.exit(f"FAILED: unlink {name}: {error}")
        continue
    sys.exit(f"FAILED: {name} was removed")
try:
    os.rmdir("../d")
except OSError as error:
    if error.errno != errno.ENOTEMPTY:
        sys.exit(f"FAILED: rmdir: {error}")
    sys.exit(0)
sys.exit("FAILED: the disk was deleted")' "$mnt/disks/d" || exit 1
[ -f "$store/d.vhd" ] || fail "the image is gone"
