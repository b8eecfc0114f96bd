#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a request for a name that another program is deleting would fail with ENOENT, and
# "errors" would give no reason.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
# shellcheck disable=SC2154 # mount.sh sets it
"$python" - "$mnt" <<'END' || fail "requests beside deletions"
import collections
import errno
import os
import sys
import threading
import time

mnt = sys.argv[1]
over = time.monotonic() + 2
made = collections.Counter()


def make():
    """Request the disk again and again, and count the answers."""
    while time.monotonic() < over:
        try:
            with open(mnt + "/new/d", "w") as new:
                new.write("3\n")
            made["made"] += 1
        except OSError as error:
            made[errno.errorcode[error.errno]] += 1


makers = [threading.Thread(target=make) for _ in range(2)]
for maker in makers:
    maker.start()
while time.monotonic() < over:
    try:
        os.rmdir(mnt + "/disks/d")
    except OSError:
        pass
for maker in makers:
    maker.join()
print(dict(made))
if not made["made"] or not set(made) <= {"made", "EEXIST", "EBUSY"}:
    sys.exit(1)
END
