#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program that has a file open while vhdfs ends would hang, or its request would
# seem to succeed without a disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
cat >"$tmp/program" <<'END'
import errno, os, signal, sys, time

mnt, daemon = sys.argv[1], int(sys.argv[2])
folder = os.open(mnt + "/new", os.O_RDONLY)
request = os.open(mnt + "/new/d", os.O_WRONLY | os.O_CREAT)
failed = os.open(mnt + "/new/e", os.O_WRONLY | os.O_CREAT)
try:
    os.write(failed, b"2")
except OSError:
    pass
status = os.open(mnt + "/tasks/e/status", os.O_RDONLY)
os.kill(daemon, signal.SIGTERM)
deadline = time.monotonic() + 20 * int(os.environ["VHD_TEST_PATIENCE"])
while f" {mnt} " in open("/proc/self/mounts").read():
    if time.monotonic() > deadline:
        sys.exit("FAILED: it is still mounted")
    time.sleep(0.02)


def expect(wanted, call, *arguments, **keywords):
    try:
        call(*arguments, **keywords)
        got = "done"
    except OSError as error:
        got = errno.errorcode[error.errno]
    if got != wanted:
        sys.exit(f"FAILED: {call.__name__} {arguments}: expected {wanted}, got {got}")


expect("ESHUTDOWN", os.write, request, b"40")
expect("ESHUTDOWN", os.write, failed, b"40")
expect("ESHUTDOWN", os.open, "f", os.O_WRONLY | os.O_CREAT, dir_fd=folder)
if b"VM_E_APP_SHUTTING_DOWN" not in os.read(os.open("../errors", os.O_RDONLY, dir_fd=folder), 10000):
    sys.exit("FAILED: errors does not tell")
if not os.pread(status, 100, 0).startswith(b"state failed\n"):
    sys.exit("FAILED: an open file is no longer served")
END
"$python" -I -S "$tmp/program" "$mnt" "$daemon" || exit 1
daemon_ends
expect ".vhdfs-lock" "$(ls -A "$store")" "the store"
