#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: mkdir would fail with ENOSYS, or a program could add entries to the tree, or
# remove parts of it.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root # for others the kernel refuses mknod
start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
echo 2 2>/dev/null >"$mnt/new/e"
find "$mnt" | sort >"$tmp/before"
cat >"$tmp/program" <<'END'
import errno, fcntl, os, stat, sys

os.chdir(sys.argv[1])
folders = [".", "new", "tasks", "tasks/d", "disks", "disks/d"]
faults = []


def refused(wanted, call, *arguments, **keywords):
    try:
        call(*arguments, **keywords)
        got = "done"
    except OSError as error:
        got = "EOPNOTSUPP" if error.errno == errno.EOPNOTSUPP else errno.errorcode[error.errno]
    if got not in wanted.split():
        faults.append(f"{call.__name__} {arguments}: expected {wanted}, got {got}")


for folder in folders:
    there = folder + "/x"
    refused("EPERM", os.mkdir, there)
    refused("EPERM", os.symlink, "version", there)
    refused("EPERM", os.link, "version", there)
    refused("EPERM", os.link, "new/e", there)
    refused("EPERM", os.rename, "version", there)
    refused("EPERM", os.rename, "tasks/e", there)
    for kind in stat.S_IFREG, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR, stat.S_IFBLK:
        refused("EPERM", os.mknod, there, kind | 0o644, os.makedev(1, 3))
    if folder != "new":
        refused("EPERM", os.open, there, os.O_WRONLY | os.O_CREAT)
        refused("EPERM", os.open, there, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    refused("EOPNOTSUPP EPERM EISDIR", os.open, folder, os.O_TMPFILE | os.O_RDWR)
    refused("EOPNOTSUPP EPERM", os.setxattr, folder, "user.x", b"x")
    refused("EOPNOTSUPP ENODATA", os.getxattr, folder, "user.x")
    refused("ENOTTY", fcntl.ioctl, os.open(folder, os.O_RDONLY), 0x40086602, bytes(8))
    refused("done", os.fsync, os.open(folder, os.O_RDONLY))

for path in "version", "errors", "new/e", "tasks/e", "tasks/e/status":
    refused("EPERM", os.rename, path, "new/z")
    refused("EPERM", os.rename, path, "disks/z")
refused("EPERM", os.replace, "tasks/e/state", "tasks/e/errno")
for path in "version", "errors", "tasks/d/status", "tasks/d/wait", "disks/d/info", "disks/d/task":
    refused("EPERM", os.unlink, path)
for path in "new", "tasks", "disks":
    refused("EPERM", os.rmdir, path)
for path in "version", "tasks/d/status", "tasks/d/wait", "disks/d/info", "disks/d/size":
    refused("EPERM", os.open, path, os.O_RDWR | os.O_TRUNC)
    refused("EPERM", os.write, os.open(path, os.O_WRONLY), b"x")
for path in "version", "errors", "new/e", "tasks/d/status", "disks/d/info":
    refused("EOPNOTSUPP EPERM", os.setxattr, path, "user.x", b"x")
    handle = os.open(path, os.O_RDONLY)
    refused("ENOTTY", fcntl.ioctl, handle, 0x40086602, bytes(8))
    refused("done", os.fsync, handle)
    refused("done", fcntl.flock, handle, fcntl.LOCK_EX)
    refused("done", os.lseek, handle, 0, os.SEEK_END)
handle = os.open("new/e", os.O_RDWR)
refused("EINVAL EOPNOTSUPP EPERM", os.posix_fallocate, handle, 0, 4096)
refused("ENOENT", os.stat, "x")
refused("ENOENT", os.stat, "tasks/d/x")
refused("ENOTDIR", os.stat, "version/x")
if faults:
    sys.exit("FAILED: " + "\n".join(faults))
END
"$python" -I -S "$tmp/program" "$mnt" || exit 1
find "$mnt" | sort >"$tmp/after"
cmp "$tmp/before" "$tmp/after" || fail "the tree has changed"
mkdir "$mnt/new/x" 2>"$tmp/said"
grep -q 'Operation not permitted' "$tmp/said" || fail "mkdir says: $(cat "$tmp/said")"
