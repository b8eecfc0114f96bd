#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: after an error turns its file system read-only, a request would fail with a wrong
# cause, or seem to succeed.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

MOUNT_OPTIONS=errors=remount-ro loop_mount 16 "$tmp/host" mkfs.ext4 -q
store=$tmp/host/store
start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
device=$(findmnt -n -o SOURCE "$tmp/host")
trigger=/sys/fs/ext4/${device##*/}/trigger_fs_error
[ -w "$trigger" ] || skip "needs $trigger"
echo "test of a file system that fails" >"$trigger" || fail "cannot make the host fail"
# vhdfs passes the host's error on. After such an error, ext4 of Linux 6.12 answers EIO, and that of
# earlier and later kernels EROFS.
touch "$store/x" 2>"$tmp/said" && skip "needs a host that goes read-only"
if grep -q 'Read-only file system' "$tmp/said"; then
    errno=EROFS result=VM_E_FILE_READ_ONLY sentence='Read-only file system'
else
    errno=EIO result=DISP_E_EXCEPTION sentence='Input/output error'
fi

expect "write $errno" "$(answer "$mnt/new/e" 40)" "making a disk"
expect "$result" "$(sed 's/^[^ ]* //' "$mnt/tasks/e/result")" "result"
tail -n 1 "$mnt/errors" | grep -q " new/e $errno $result ." || fail "errors: $(cat "$mnt/errors")"
rmdir "$mnt/disks/d" 2>"$tmp/said" && fail "the disk can be deleted"
grep -q "$sentence" "$tmp/said" || fail "rmdir says: $(cat "$tmp/said")"
tail -n 1 "$mnt/errors" | grep -q " disks/d $errno $result ." || fail "errors: $(cat "$mnt/errors")"
expect d "$(ls "$mnt/disks")" "the disks"
[ $errno = EIO ] || expect 40 "$(cat "$mnt/disks/d/size")" "the disk's size"
