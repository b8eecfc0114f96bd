#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: nobody could look into a disk that has children. Only the error of a read-only
# file system makes losetup, mount and QEMU fall back to reading.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
enter_own_mounts "$@"
need_command mkfs.ext4 qemu-io
start_vhdfs
make_disk parent 64
mkfs.ext4 -q "$raw" || fail "mkfs.ext4: status $?"
wait_until 5 sh -c ": 1<>'$raw'"
stop_vhdfs
"$python" -I -S "$here/child.py" "$store/parent.vhd" "$store/child.vhd" || fail "cannot make a child"
before=$(cksum <"$store/parent.vhd")
start_vhdfs

expect "open EROFS" "$(answer "$raw" x)" "opening a parent for writing"
tail -n 1 "$mnt/errors" | grep -q ' disks/parent/raw EROFS VM_E_FILE_READ_ONLY ' ||
    fail "errors: $(tail -n 1 "$mnt/errors")"
loop_device "$raw"
expect 1 "$(cat "/sys/block/${loop#/dev/}/ro")" "is the loop device read-only"
losetup -d "$loop"
mkdir "$tmp/in"
mount -o loop "$raw" "$tmp/in" 2>"$tmp/said" || fail "mount -o loop: $(cat "$tmp/said")"
undo "umount '$tmp/in' 2>/dev/null"
[ -d "$tmp/in/lost+found" ] || fail "the file system cannot be read"
umount "$tmp/in"
qemu-io -f raw -r -c 'read 0 4096' "$raw" >"$tmp/said" 2>&1 || fail "qemu-io: $(cat "$tmp/said")"
stop_vhdfs
expect "$before" "$(cksum <"$store/parent.vhd")" "the parent's image"
