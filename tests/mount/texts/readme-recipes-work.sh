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
need_command mkfs.ext4 fuse2fs fusermount3 debugfs fsck.ext4 qemu-img rsync setpriv mkfs.fat mcopy
[ -e /dev/loop-control ] || skip "needs loop devices"
export HOME="$tmp/home"
mkdir "$HOME"
store=$HOME/disks
start_vhdfs
undo "umount -l '$HOME/files' 2>/dev/null"
undo detach_loops
undo "umount -l '$tmp/data' 2>/dev/null"
blocks "Use a disk" use
blocks "Change a disk" change

# loops: list the loop devices of our disks
loops()
{
    losetup --list --noheadings --output NAME,BACK-FILE | grep -F " $mnt/disks/" | cut -d ' ' -f 1
}

detach_loops()
{
    loops | xargs -r losetup --detach
}

# recipe WORD: run the next block of the section; the word must occur in it
section=use next=0
recipe()
{
    grep -q "$1" "$tmp/$section.$next.sh" || fail "recipe $next is not the one of $1"
    shown "$tmp/$section.$next.sh" >"$tmp/shown" || fail "$1: status $?: $(cat "$tmp/said")"
    next=$((next + 1))
}

# no_more: all blocks of the section were run
no_more()
{
    [ ! -f "$tmp/$section.$next.sh" ] || fail "there is a recipe that nobody tries"
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

recipe fuse2fs
holds_today files
recipe 'losetup .*--direct-io=on'
holds_today data
expect "" "$(loops)" "loop devices that are left"

# Fill disks from other images.
noise 5000000 1 >"$HOME/disk.img"
filled=$((100 << 20))
truncate -s $filled "$HOME/disk.img"
qemu-img create -q -f qcow2 "$HOME/old.qcow2" 100M
qemu-io -c 'write -P 5 3M 1M' "$HOME/old.qcow2" >/dev/null || fail "qemu-io: status $?"
recipe 'qemu-img convert'
cmp -n $filled "$HOME/disk.img" "$mnt/disks/data/raw" || fail "the disk is not as the image"
[ "$(allocated data)" -le 3 ] || fail "allocated: $(allocated data)"
qemu-img compare -f qcow2 -F raw "$HOME/old.qcow2" "$mnt/disks/files/raw" >"$tmp/said" ||
    fail "the disk is not as the qcow2 image: $(cat "$tmp/said")"

# Make a copy for Azure.
recipe azure
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
    recipe rsync
    same_bytes "$store/data.vhd" "$HOME/disks-backup/data.vhd" "the $turn backup"
    [ $turn = second ] || next=$((next - 1))
done

# Throw a differencing disk away, and keep its parent.
# On a busy machine mkfs may still be closing the disk when rmdir stops waiting for that.
# shellcheck disable=SC2016 # the recipe's shell expands it
sed -i 's,^rmdir .*,n=0; until & || [ $n = 200 ]; do n=$((n + 1)); sleep 0.1; done,' "$tmp/use.5.sh"
recipe run1
[ ! -e "$store/run1.vhd" ] || fail "the child is still there"
fsck.ext4 -fn "$mnt/disks/base/raw" >"$tmp/said" 2>&1 || fail "fsck of the parent: $(cat "$tmp/said")"

recipe from=base
expect dynamic "$(cat "$mnt/disks/copy/type")" "the type of the copy"

recipe type=fixed
expect fixed "$(cat "$mnt/disks/full/type")" "the type of the fixed disk"
fsck.ext4 -fn "$mnt/disks/full/raw" >"$tmp/said" 2>&1 || fail "fsck: $(cat "$tmp/said")"

recipe format=fat16
grep -q '^today ' "$tmp/shown" || fail "mdir shows: $(cat "$tmp/shown")"
mtype -i "$mnt/disks/stick/raw@@1M" ::today | cmp - "$HOME/today" || fail "the file on the stick"

no_more
section=change next=0
recipe 'convert dynamic'
expect dynamic "$(cat "$mnt/disks/full/type")" "the type of the converted disk"
fsck.ext4 -fn "$mnt/disks/full/raw" >"$tmp/said" 2>&1 || fail "fsck: $(cat "$tmp/said")"

recipe 'resize 128'
expect $((128 << 20)) "$(stat -c %s "$mnt/disks/full/raw")" "the size of the resized disk"
fsck.ext4 -fn "$mnt/disks/full/raw" >"$tmp/said" 2>&1 || fail "fsck: $(cat "$tmp/said")"

before=$(stat -c %s "$store/data.vhd")
recipe compact
[ "$(stat -c %s "$store/data.vhd")" -le "$before" ] || fail "the image is longer"
cmp -n $filled "$mnt/disks/data/raw" "$HOME/data-for-azure.vhd" || fail "compacting changed the disk"

recipe merge
[ ! -e "$mnt/disks/run2" ] || fail "the merged disk is still there"
head -n 1 "$mnt/disks/base/raw" | grep -q "$(date +%Y)" || fail "the parent lacks what was written"

recipe 'snapshot monday'
expect monday "$(cat "$tmp/shown")" "the parent after a snapshot"
recipe 'rebase week1'
expect week1 "$(cat "$mnt/disks/data/parent")" "the parent after its move"
cmp -n $filled "$mnt/disks/data/raw" "$HOME/data-for-azure.vhd" || fail "the move changed the disk"
recipe rmdir
expect dynamic "$(cat "$mnt/disks/data/type")" "the type after going back"
cmp -n $filled "$mnt/disks/data/raw" "$HOME/data-for-azure.vhd" || fail "going back changed the disk"

head -c 512 /dev/zero | dd of="$store/data.vhd" bs=512 seek=$(($(stat -c %s "$store/data.vhd") / 512 - 1)) \
    conv=notrunc status=none
recipe repair
grep -q '^footer lost ' "$tmp/shown" || fail "the report is: $(cat "$tmp/shown")"
expect - "$(value "$mnt/disks/data/info" fault)" "the fault of a repaired disk"
cmp -n $filled "$mnt/disks/data/raw" "$HOME/data-for-azure.vhd" || fail "a repair changed the disk"

no_more
