#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: after a copy that ran out of space, or a hole punched in part, programs would read
# stale pages of the kernel.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root
need_command mkfs.ext4
loop_mount 60 "$tmp/host" mkfs.ext4 -q -m 0
store=$tmp/host/store
start_vhdfs
echo 40 >"$mnt/new/a" || fail "cannot make a disk"
echo 40 >"$mnt/new/b" || fail "cannot make a disk"

cat >"$tmp/program" <<'END'
import errno, mmap, os, sys

host, disks = sys.argv[1:]
size = 8 << 20
source = os.open(f"{disks}/a/raw", os.O_RDWR)
target = os.open(f"{disks}/b/raw", os.O_RDWR)
direct = os.open(f"{disks}/b/raw", os.O_RDONLY | os.O_DIRECT)
os.pwrite(source, os.urandom(size), 0)
os.fsync(source)
os.pread(target, size, 0)  # fill the page cache

filler = os.open(f"{host}/filler", os.O_RDWR | os.O_CREAT)
space = os.fstatvfs(filler)
os.posix_fallocate(filler, 0, space.f_bavail * space.f_frsize - (5 << 20))
try:
    sys.exit(f"FAILED: {os.copy_file_range(source, target, size, 0, 0)} bytes copied")
except OSError as e:
    if e.errno != errno.ENOSPC:
        raise
there = mmap.mmap(-1, size)
os.preadv(direct, [there], 0)
if not any(there[:]):
    sys.exit("FAILED: nothing was copied, so this shows nothing")
if os.pread(target, size, 0) != there[:]:
    sys.exit("FAILED: what is read is not what is there")
END
"$python" -I -S "$tmp/program" "$tmp/host" "$mnt/disks" || exit 1
umount "$mnt" || fail "cannot unmount"
daemon_ends
