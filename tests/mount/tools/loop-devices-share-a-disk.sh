#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a disk that is attached twice would show two contents.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
enter_own_mounts "$@"

need_command mkfs.ext4 blockdev
start_vhdfs
make_disk d 64
loop_device "$raw"
one=$loop
loop_device --direct-io=on "$raw"
other=$loop
noise 3000000 1 >"$tmp/one"
noise 3000000 2 >"$tmp/other"
dd if="$tmp/one" of="$one" bs=64k oflag=seek_bytes seek=$((4 << 20)) conv=fsync status=none ||
    fail "cannot write to one"
dd if="$tmp/other" of="$other" bs=64k oflag=seek_bytes seek=$((7 << 20)) conv=fsync status=none ||
    fail "cannot write to the other"
blockdev --flushbufs "$one" "$other"
for device in "$one" "$other" "$raw"; do
    cmp -i 0:$((4 << 20)) -n 3000000 "$tmp/one" "$device" || fail "$device misses one"
    cmp -i 0:$((7 << 20)) -n 3000000 "$tmp/other" "$device" || fail "$device misses the other"
done

# A file system may be mounted once for writing, or twice for reading.
mkfs.ext4 -q -F "$one" || fail "mkfs.ext4: status $?"
blockdev --flushbufs "$one" "$other"
mkdir "$tmp/in1" "$tmp/in2"
for device in "$one 1" "$other 2"; do
    mount -o ro,noload "${device% *}" "$tmp/in${device#* }" || fail "cannot mount $device"
    undo "umount '$tmp/in${device#* }' 2>/dev/null"
    [ -d "$tmp/in${device#* }/lost+found" ] || fail "$device shows no file system"
done
umount "$tmp/in1" "$tmp/in2"
losetup -d "$one" "$other" || fail "cannot detach them"
rmdir "$mnt/disks/d" || fail "the disk is still in use"
