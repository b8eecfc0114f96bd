#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a disk on a loop device would stall, or lose data, when the machine runs out of
# memory. The test uses the recipe of the README: losetup --direct-io=on. A buffered loop device
# needs memory to write memory back, on any FUSE file system.
#
# For a machine of 420 MB without swap: 400 MB are written while a program uses 280 MB.
#
# Usage: little-memory.sh VHDFS
VHDFS=$(realpath "$1")
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

HOG_MB=280
WRITTEN_MB=400

need_root
mkdir "$tmp/store" "$tmp/mnt" "$tmp/data"
"$VHDFS" "$tmp/store" "$tmp/mnt" -o "pidfile=$tmp/pid" || fail "vhdfs: exit status $?"
undo "umount -l '$tmp/mnt'"
echo 3000 >"$tmp/mnt/new/a" || fail "cannot make a disk"
loop=$(losetup --show --find --direct-io=on "$tmp/mnt/disks/a/raw") || fail "losetup: status $?"
undo "losetup -d $loop"
mkfs.ext4 -q -E lazy_itable_init=0 "$loop" || fail "mkfs.ext4: status $?"
mount "$loop" "$tmp/data" || fail "mount: status $?"
undo "umount -l '$tmp/data'"

read -r began _ </proc/uptime
timeout $((20 * patience)) \
    dd if=/dev/zero of="$tmp/data/zeros" bs=1M count=$WRITTEN_MB conv=fsync status=none &
writer=$!
wait_until 20 [ -s "$tmp/data/zeros" ]
timeout $((20 * patience)) python3 -I -S -c 'import sys
taken = bytearray(int(sys.argv[1]) << 20)
for turn in range(10):
    for page in range(0, len(taken), 4096):
        taken[page] = turn' $HOG_MB &
hog=$!
wait $writer || fail "dd: status $?"
wait $hog || fail "the program that takes the memory: status $?"
read -r ended _ </proc/uptime
echo "$WRITTEN_MB MB were written in $((${ended%.*} - ${began%.*})) s"
umount "$tmp/data"
mount -o ro "$loop" "$tmp/data" || fail "mount: status $?"
cmp -n $((WRITTEN_MB << 20)) "$tmp/data/zeros" /dev/zero || fail "another content"
dmesg | grep -E 'Killed process|loop: Write error|EXT4-fs error' && fail "the kernel says so"
exit 0
