#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user who follows the README to put files on a disk, to fill or to copy one would
# get stuck, or lose its content.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/readme.sh
. "$(dirname "$0")/../readme.sh"

need_root
need_command mkfs.ext4 fuse2fs fusermount3 debugfs fsck.ext4 qemu-img rsync setpriv
[ -e /dev/loop-control ] || skip "needs loop devices"
export HOME="$tmp/home"
mkdir "$HOME"
store=$HOME/disks
start_vhdfs
undo "umount -l '$HOME/files' 2>/dev/null"
undo detach_loops
undo "umount -l '$tmp/data' 2>/dev/null"
blocks "Use a disk" use

# loops: list the loop devices of our disks
loops()
{
    losetup --list --noheadings --output NAME,BACK-FILE | grep -F " $mnt/disks/" | cut -d ' ' -f 1
}

detach_loops()
{
    loops | xargs -r losetup --detach
}

# recipe NUMBER WORD: run this block; the word must occur in it
recipe()
{
    grep -q "$2" "$tmp/use.$1.sh" || fail "recipe $1 is not the one of $2"
    shown "$tmp/use.$1.sh" >"$tmp/shown" || fail "$2: status $?: $(cat "$tmp/said")"
}

# is_closed NAME: no program has its content open
is_closed()
{
    ! readlink /proc/[0-9]*/fd/* | grep -qxF "$mnt/disks/$1/raw"
}

# holds_today NAME: the file of the recipe is on the disk
holds_today()
{
    wait_until 20 is_closed "$1" # fuse2fs still writes after its mount is gone
    fsck.ext4 -fn "$mnt/disks/$1/raw" >"$tmp/said" 2>&1 || fail "fsck of $1: $(cat "$tmp/said")"
    debugfs -R "cat /today" "$mnt/disks/$1/raw" 2>/dev/null | grep -q "$(date +%Y)" ||
        fail "the file on $1 is not there"
}

recipe 0 fuse2fs
holds_today files
recipe 1 'losetup .*--direct-io=on'
holds_today data
expect "" "$(loops)" "loop devices that are left"

# Fill disks from other images.
noise 5000000 1 >"$HOME/disk.img"
filled=$((100 << 20))
truncate -s $filled "$HOME/disk.img"
qemu-img create -q -f qcow2 "$HOME/old.qcow2" 100M
qemu-io -c 'write -P 5 3M 1M' "$HOME/old.qcow2" >/dev/null || fail "qemu-io: status $?"
recipe 2 'qemu-img convert'
cmp -n $filled "$HOME/disk.img" "$mnt/disks/data/raw" || fail "the disk is not as the image"
[ "$(allocated data)" -le 3 ] || fail "allocated: $(allocated data)"
qemu-img compare -f qcow2 -F raw "$HOME/old.qcow2" "$mnt/disks/files/raw" >"$tmp/said" ||
    fail "the disk is not as the qcow2 image: $(cat "$tmp/said")"

# Make a copy for Azure.
recipe 3 azure
expect $((4096 * 1048576 + 512)) "$(stat -c %s "$HOME/data-for-azure.vhd")" "size of the copy"
cmp -n $filled "$HOME/disk.img" "$HOME/data-for-azure.vhd" || fail "the copy for Azure"
[ "$(host_blocks "$HOME/data-for-azure.vhd")" -lt 20000 ] || fail "the copy has no holes"
# Repeat it as a plain user, because root may overwrite a read-only file anyway.
noise 4096 2 | poke "$mnt/disks/data/raw" 0
setpriv --bounding-set -dac_override sh -e "$tmp/script" || fail "a second copy for Azure: status $?"
cmp -n $filled "$mnt/disks/data/raw" "$HOME/data-for-azure.vhd" || fail "the second copy for Azure"
cmp -s -n $filled "$HOME/disk.img" "$HOME/data-for-azure.vhd" && fail "the copy is the first one"

# Make a backup, then another one over it.
for turn in first second; do
    recipe 4 rsync
    same_bytes "$store/data.vhd" "$HOME/disks-backup/data.vhd" "the $turn backup"
done

# Throw a differencing disk away, and keep its parent.
# On a busy machine mkfs may still be closing the disk when rmdir stops waiting for that.
# shellcheck disable=SC2016 # the recipe's shell expands it
sed -i 's,^rmdir .*,n=0; until & || [ $n = 200 ]; do n=$((n + 1)); sleep 0.1; done,' "$tmp/use.5.sh"
recipe 5 run1
[ ! -e "$store/run1.vhd" ] || fail "the child is still there"
fsck.ext4 -fn "$mnt/disks/base/raw" >"$tmp/said" 2>&1 || fail "fsck of the parent: $(cat "$tmp/said")"

recipe 6 from=base
expect dynamic "$(cat "$mnt/disks/copy/type")" "the type of the copy"

recipe 7 type=fixed
expect fixed "$(cat "$mnt/disks/full/type")" "the type of the fixed disk"
fsck.ext4 -fn "$mnt/disks/full/raw" >"$tmp/said" 2>&1 || fail "fsck: $(cat "$tmp/said")"

[ ! -f "$tmp/use.8.sh" ] || fail "there is a recipe that nobody tries"
