#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a disk that is made with from= would hold other content than its source, lose its
# holes, or take space that the host could share.
#
# Usage: copy-of-a-disk-equals-it.sh btrfs|ext4|xfs
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
kind=$1

# copy NAME REQUEST: make a disk, which is sound
copy()
{
    make_long "$1" "$2"
    expect - "$(value "$mnt/disks/$1/info" fault)" "fault of $1"
}

# same NAME OTHER: both disks hold the same
same()
{
    cmp "$mnt/disks/$1/raw" "$mnt/disks/$2/raw" || fail "$2 differs from $1"
}

# used: KiB of the host that are in use
used()
{
    sync -f "$store"
    df -k --output=used "$store" | tail -n 1
}

# shellcheck disable=SC2046 # options of mkfs
loop_mount 500 "$tmp/host" $(case $kind in
    btrfs) echo mkfs.btrfs -q ;;
    ext4) echo mkfs.ext4 -q ;;
    xfs) echo mkfs.xfs -q -m reflink=1 ;;
esac)
store=$tmp/host/store
start_vhdfs

# Data at odd places, holes of all sizes, and zeros that were written.
make_disk a 100
noise 20000000 1 >"$tmp/noise"
dd if="$tmp/noise" of="$raw" bs=1M conv=notrunc status=none
dd if="$tmp/noise" of="$raw" bs=512 count=3 seek=100001 conv=notrunc status=none
dd if="$tmp/noise" of="$raw" bs=64k count=1 seek=900 conv=notrunc status=none
dd if="$tmp/noise" of="$raw" bs=4096 count=1 seek=25599 conv=notrunc,fsync status=none

copy b from=a
same a b
expect 100 "$(value "$mnt/disks/b/info" size)" "size of the copy"
expect dynamic "$(value "$mnt/disks/b/info" type)" "type of the copy"
expect "$(value "$mnt/disks/a/info" allocated)" "$(value "$mnt/disks/b/info" allocated)" "blocks"
expect 'Create dynamic virtual hard disk "b" from "a"' "$(cat "$mnt/tasks/b/description")" \
    "description"
[ "$(value "$mnt/disks/a/info" uuid)" != "$(value "$mnt/disks/b/info" uuid)" ] ||
    fail "the copy has the identity of its source"
[ "$(value "$mnt/disks/b/info" used)" -lt 30000000 ] ||
    fail "the copy takes $(value "$mnt/disks/b/info" used) bytes"

# Of a chain, of a fixed disk, into a fixed one, into a larger one.
make_disk child parent=a
dd if="$tmp/noise" of="$raw" bs=1000 count=7 seek=777 skip=9 conv=notrunc,fsync status=none
copy flat "from=child.vhd type=dynamic"
same child flat
copy fixed "130 from=flat type=fixed"
expect 130 "$(value "$mnt/disks/fixed/info" size)" "size of the larger one"
cmp -n $((100 << 20)) "$mnt/disks/child/raw" "$mnt/disks/fixed/raw" || fail "the fixed disk differs"
cmp -n $((30 << 20)) -i $((100 << 20)):0 "$mnt/disks/fixed/raw" /dev/zero ||
    fail "behind the copied content there are other bytes than zeros"
copy again "from=fixed uuid=8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6"
same fixed again
expect 8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6 "$(value "$mnt/disks/again/info" uuid)" "uuid"
[ "$(value "$mnt/disks/again/info" used)" -lt 30000000 ] || fail "holes of a fixed disk are lost"

# Where the host can share space, a copy takes none.
if [ "$kind" != ext4 ]; then
    before=$(used)
    copy shared from=b
    same b shared
    [ $(($(used) - before)) -lt 2000 ] || fail "the copy takes $(($(used) - before)) KiB"
    # What is written to one is not in the other.
    dd if=/dev/zero of="$mnt/disks/shared/raw" bs=1M count=3 conv=notrunc,fsync status=none
    same a b
fi

# A fixed copy owns its space: it shares none with its source. (btrfs writes to other places.)
if [ "$kind" != btrfs ]; then
    copy owner "from=a type=fixed"
    dd if=/dev/zero of="$tmp/host/filler" bs=1M status=none 2>/dev/null
    dd if="$tmp/noise" of="$mnt/disks/owner/raw" bs=1M conv=notrunc,fsync status=none ||
        fail "a fixed copy needs more space of the host"
    rm "$tmp/host/filler"
fi

# Other programs read the copies.
stop_vhdfs
if command -v qemu-img >/dev/null; then
    qemu-img compare -q -f vpc -F vpc "$store/a.vhd" "$store/b.vhd" || fail "QEMU sees a difference"
fi
if command -v vhdiinfo >/dev/null; then
    for name in b flat fixed; do
        vhdiinfo "$store/$name.vhd" >"$tmp/said" || fail "vhdiinfo: $(cat "$tmp/said")"
    done
fi
