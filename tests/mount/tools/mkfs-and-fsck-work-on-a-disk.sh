#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a disk could not hold a file system, which is its purpose.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command mkfs.ext4 fsck.ext4 debugfs mkfs.fat fsck.fat mkfs.xfs xfs_repair qemu-img
noise 3000000 1 >"$tmp/file"
start_vhdfs

make_disk ext4 1024
mkfs.ext4 -q "$raw" || fail "mkfs.ext4: exit status $?"
debugfs -w -R "write $tmp/file file" "$raw" 2>"$tmp/said" || fail "debugfs: $(cat "$tmp/said")"
fsck.ext4 -fn "$raw" >"$tmp/said" 2>&1 || fail "fsck.ext4: $(cat "$tmp/said")"
make_disk fat 128
mkfs.fat "$raw" >/dev/null || fail "mkfs.fat: exit status $?"
fsck.fat -n "$raw" >"$tmp/said" || fail "fsck.fat: $(cat "$tmp/said")"
make_disk xfs 320
mkfs.xfs -q "$raw" || fail "mkfs.xfs: exit status $?"
xfs_repair -n -f "$raw" >"$tmp/said" 2>&1 || fail "xfs_repair: $(cat "$tmp/said")"

# After a remount all content is there, also for QEMU.
cksum "$mnt"/disks/*/raw >"$tmp/before"
stop_vhdfs
start_vhdfs
cksum "$mnt"/disks/*/raw | diff "$tmp/before" - || fail "another content after the next mount"
raw=$mnt/disks/ext4/raw
debugfs -R "dump file $tmp/copy" "$raw" 2>/dev/null
same_bytes "$tmp/file" "$tmp/copy" "the file comes back as another"
for name in ext4 fat xfs; do
    qemu-img compare -f raw -F vpc "$mnt/disks/$name/raw" "$store/$name.vhd" >"$tmp/said" ||
        fail "QEMU reads another $name: $(cat "$tmp/said")"
done
