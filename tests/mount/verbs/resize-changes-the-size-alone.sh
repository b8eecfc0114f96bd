#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a resized disk would lose files, show old bytes in its new part, have another size
# for other programs, or keep the space of the part that is gone.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command mkfs.ext4 e2fsck resize2fs debugfs

# has_size NAME BYTES: here and in other programs
has_size()
{
    expect "$2" "$(stat -c %s "$mnt/disks/$1/raw")" "size of $1"
    expect "$2" "$(value "$mnt/disks/$1/info" bytes)" "size of $1 in info"
    expect - "$(value "$mnt/disks/$1/info" fault)" "fault of $1"
    if command -v qemu-img >/dev/null; then
        expect "$2" "$(size_by_qemu "$store/$1.vhd")" "size of $1 by QEMU"
        qemu-img check -f vpc "$store/$1.vhd" >"$tmp/said" 2>&1 || [ $? = 63 ] ||
            fail "QEMU: $(cat "$tmp/said")"
        qemu-img compare -f vpc -F raw "$store/$1.vhd" "$mnt/disks/$1/raw" >"$tmp/said" ||
            fail "content of $1 by QEMU: $(cat "$tmp/said")"
    fi
    if command -v vhdiinfo >/dev/null; then
        vhdiinfo "$store/$1.vhd" | grep -q "($2 bytes)" ||
            fail "size by libvhdi: $(vhdiinfo "$store/$1.vhd")"
    fi
    for tool in 7zz 7z; do
        command -v $tool >/dev/null || continue
        $tool l -slt -tvhd "$store/$1.vhd" >"$tmp/said" || fail "7-Zip: $(cat "$tmp/said")"
        grep -qx "Size = $2" "$tmp/said" || fail "size by 7-Zip: $(cat "$tmp/said")"
    done
}

# has_files NAME: the file system on it is sound and has the file
has_files()
{
    e2fsck -fn "$mnt/disks/$1/raw" >"$tmp/said" 2>&1 || fail "e2fsck of $1: $(cat "$tmp/said")"
    debugfs -R "cat /noise" "$mnt/disks/$1/raw" 2>/dev/null | cmp - "$tmp/noise" ||
        fail "the file on $1 has changed"
}

start_vhdfs
noise 9000000 1 >"$tmp/noise"
for type in dynamic fixed; do
    make_long d "64 type=$type"
    uuid=$(cat "$mnt/disks/d/uuid")
    mkfs.ext4 -q "$mnt/disks/d/raw" 2>/dev/null || fail "mkfs.ext4"
    debugfs -w -R "write $tmp/noise noise" "$mnt/disks/d/raw" >/dev/null 2>&1

    # Larger. The file system grows after that.
    verb d 'resize 200 MB'
    expect 'Resize virtual hard disk "d" to 200 MB' "$(cat "$mnt/tasks/d/description")" \
        "description"
    has_size d $((200 << 20))
    resize2fs "$mnt/disks/d/raw" >"$tmp/said" 2>&1 || fail "resize2fs: $(cat "$tmp/said")"
    has_files d

    # Smaller only where nothing is lost. The sentence has the size to write.
    verb_fails_in_time d 'resize 64' 'ERANGE VM_E_IMAGE_SIZE_TOO_SMALL .*the smallest size that keeps it is'
    has_size d $((200 << 20))
    resize2fs -M "$mnt/disks/d/raw" >"$tmp/said" 2>&1 || fail "resize2fs -M: $(cat "$tmp/said")"
    blocks=$(dumpe2fs -h "$mnt/disks/d/raw" 2>/dev/null | sed -n 's/^Block count: *//p')
    block=$(dumpe2fs -h "$mnt/disks/d/raw" 2>/dev/null | sed -n 's/^Block size: *//p')
    bytes=$((blocks * block))
    # The rest still holds what the file system had there.
    truncate -s "$bytes" "$mnt/disks/d/raw" 2>/dev/null || fallocate -p -o "$bytes" \
        -l $(((200 << 20) - bytes)) "$mnt/disks/d/raw" || fail "cannot discard"
    verb d "resize ${bytes}B"
    has_size d "$bytes"
    has_files d

    # An odd size, there and back, and the same size.
    verb d 'resize 100000256B'
    has_size d 100000256
    has_files d
    before=$(cksum <"$store/d.vhd")
    verb d 'resize 100000256 B'
    expect "$before" "$(cksum <"$store/d.vhd")" "image after the same size"
    verb d 'resize 0.25G'
    has_size d 268435456
    verb_fails d 'resize 1' 'ERANGE VM_E_IMAGE_SIZE_TOO_SMALL'
    verb_fails d 'resize 2088961' 'ERANGE VM_E_IMAGE_SIZE_TOO_LARGE'
    verb_fails d 'resize' 'EINVAL E_INVALIDARG the size is missing'
    verb_fails d 'resize 9 9' 'EINVAL E_INVALIDARG "9" does not belong to resize'
    expect "$uuid" "$(cat "$mnt/disks/d/uuid")" "identity"
    wait_until 10 rmdir "$mnt/disks/d"
done

# The smallest size of the sentence is true.
make_disk e 64
printf x | poke "$raw" 50000000
verb_fails e 'resize 9' 'ERANGE VM_E_IMAGE_SIZE_TOO_SMALL .*keeps it is 50000384B;'
verb e 'resize 50000384B'
has_size e 50000384

# A small full disk becomes the largest one: blocks make way for its table.
make_disk full 8
noise $((8 << 20)) 2 >"$raw" || fail "cannot fill it"
verb full 'resize 2040 GB'
expect 2190433320960 "$(stat -c %s "$mnt/disks/full/raw")" "the largest size"
noise $((8 << 20)) 2 | cmp -n $((8 << 20)) - "$mnt/disks/full/raw" || fail "content of the largest"
printf end | poke "$mnt/disks/full/raw" 2190433320900
verb_fails full 'resize 8' 'ERANGE VM_E_IMAGE_SIZE_TOO_SMALL .*keeps it is 2088960;'
fallocate -p -o $((8 << 20)) -l $((2190433320960 - (8 << 20))) "$mnt/disks/full/raw"
verb full 'resize 8'
has_size full $((8 << 20))
noise $((8 << 20)) 2 | cmp - "$mnt/disks/full/raw" || fail "content after both"

# It is idle, has no children, and is no child.
exec 3<"$mnt/disks/full/raw"
verb_fails full 'resize 9' 'EBUSY E_SHARING_VIOLATION .*close it in every program'
exec 3>&-
make_disk child parent=full
verb_fails full 'resize 9' 'EBUSY E_SHARING_VIOLATION .*1 differencing disk'
verb_fails child 'resize 9' 'EOPNOTSUPP VM_E_WRONG_HD_IMAGE_TYPE'
stop_vhdfs
