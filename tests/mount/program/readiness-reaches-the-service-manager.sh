#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: systemd would never learn that the mount answers, and would end it again.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

"$python" -I -S -c 'import os, socket, subprocess, sys

program, store, mnt, pid, address = sys.argv[1:]
for name in address, "\0" + address:
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(name)
    manager.settimeout(20 * int(os.environ["VHD_TEST_PATIENCE"]))
    os.environ["NOTIFY_SOCKET"] = name.replace("\0", "@")
    daemon = subprocess.Popen([program, store, mnt, "-f", "-o", "pidfile=" + pid])
    try:
        told = manager.recv(4096).decode().split("\n")
        is_answering = os.path.exists(mnt + "/version")
    finally:
        daemon.terminate()
        status = daemon.wait(20)
    if "READY=1" not in told or not is_answering or status != 0:
        sys.exit(f"FAILED: told {told}, answers: {is_answering}, exit status {status}")' \
    "$VHDFS" "$store" "$mnt" "$tmp/pid" "$tmp/notify" || exit 1
