#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a disk could not hold a file system of some kind, which is its purpose.
#
# Usage: mkfs-of-every-kind-is-clean.sh KIND
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
enter_own_mounts "$@"
kind=$1
size=128
case $kind in
    ext4) make='mkfs.ext4 -q -F' check='fsck.ext4 -fn' ;;
    xfs) size=320 make='mkfs.xfs -q -f' check='xfs_repair -n -f' ;;
    btrfs) size=256 make='mkfs.btrfs -q -f' check='btrfs check' ;;
    vfat) make='mkfs.vfat' check='fsck.vfat -n' ;;
    ntfs) make='mkfs.ntfs -q -F -f' check='ntfsfix -n' ;;
    f2fs) make='mkfs.f2fs -q -f' check='fsck.f2fs --dry-run' ;;
    erofs) make='mkfs.erofs' check='fsck.erofs' ;;
    *) fail "no file system $kind is known" ;;
esac
need_command "${make%% *}" "${check%% *}"
mkdir "$tmp/files"
noise 3000000 1 >"$tmp/files/one"
noise 5000 2 >"$tmp/files/other"
noise 2000000 3 >"$tmp/old"
start_vhdfs
make_disk d $size
# The disk has old content in several places.
for at in 0 30 60 $((size - 2)); do
    dd if="$tmp/old" of="$raw" bs=1M seek=$at conv=notrunc status=none
done

files=
[ "$kind" != erofs ] || files=$tmp/files
# shellcheck disable=SC2086 # words
$make "$raw" $files >"$tmp/said" 2>&1 || fail "$make: exit status $?: $(cat "$tmp/said")"
$check "$raw" >"$tmp/said" 2>&1 || fail "$check: exit status $?: $(cat "$tmp/said")"
expect $((size << 20)) "$(stat -c %s "$raw")" "size of the disk"

# mounted COMMAND...: run it while the file system is mounted, if the kernel supports it.
mounted()
{
    mount -t "$kind" -o "$mount_options" "$loop" "$tmp/in" || fail "cannot mount it"
    undo "umount '$tmp/in' 2>/dev/null"
    "$@" || fail "$*"
    umount "$tmp/in" || fail "cannot unmount it"
}

put_files_in()
{
    [ "$kind" = erofs ] || cp -r "$tmp/files/." "$tmp/in/"
}

if [ "$(id -u)" = 0 ] && [ -e /dev/loop-control ] && grep -qw "$kind" /proc/filesystems; then
    mkdir "$tmp/in"
    mount_options=rw
    [ "$kind" != erofs ] || mount_options=ro
    loop_device --direct-io=on "$raw"
    mounted put_files_in
    losetup -d "$loop"
    $check "$raw" >"$tmp/said" 2>&1 || fail "$check, with files: status $?: $(cat "$tmp/said")"
    stop_vhdfs
    start_vhdfs
    loop_device "$raw"
    mount_options=ro
    mounted diff -r -x lost+found "$tmp/files" "$tmp/in"
    losetup -d "$loop"
fi
stop_vhdfs
start_vhdfs
$check "$raw" >"$tmp/said" 2>&1 || fail "$check after another mount: status $?: $(cat "$tmp/said")"
