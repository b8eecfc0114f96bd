#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: XFS would keep another length of a growing file than the crash test's model of class
# X says, and the model would miss states that a power cut leaves. A page that was dirty before the
# growth is written back after it. The file then ends with that page.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

enter_own_mounts "$@"
make_volume xfs
mkdir "$tmp/mnt"
mount "$device" "$tmp/mnt" || fail "cannot mount it"
undo "umount -l '$tmp/mnt'"

python3 -I -S -c '
import ctypes, fcntl, os, struct, sys
folder = sys.argv[1]
libc = ctypes.CDLL(None, use_errno=True)
SECTOR, PAGE = 512, 4096
# A file of 27 sectors. Its last page ends with sector 31.
fd = os.open(folder + "/image", os.O_RDWR | os.O_CREAT, 0o644)
os.write(fd, b"a" * 27 * SECTOR)
os.fsync(fd)
os.sync()
os.pwrite(fd, b"d" * SECTOR, 25 * SECTOR)
os.pwrite(fd, b"f" * SECTOR, 50 * SECTOR)
# Wait, write, wait: of that page alone.
at = ctypes.c_int64(24 * SECTOR)
if libc.sync_file_range(fd, at, ctypes.c_int64(PAGE), ctypes.c_uint(7)) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
# XFS_IOC_GOINGDOWN, with the log flushed: metadata become durable, data do not.
root = os.open(folder, os.O_RDONLY)
fcntl.ioctl(root, 0x8004587D, struct.pack("I", 1))
' "$tmp/mnt" || fail "cannot write the file, or shut the file system down"
umount "$tmp/mnt" || fail "cannot unmount it"
mount "$device" "$tmp/mnt" || fail "cannot mount it again"
expect $((32 * 512)) "$(stat -c %s "$tmp/mnt/image")" "the length after a power cut"
