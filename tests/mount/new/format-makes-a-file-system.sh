#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a disk that is made with format= would hold no file system that other systems
# read, one of the wrong type or size, or would take much space for an empty one.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command mkfs.fat fsck.fat blkid sfdisk mcopy mdir

# probe NAME KEY: what blkid finds in the partition
probe()
{
    blkid -p -O 1048576 -s "$2" -o value "$mnt/disks/$1/raw"
}

# is_formatted NAME BITS SECTORS LABEL: the disk has one partition, and its file system this type
is_formatted()
{
    raw=$mnt/disks/$1/raw
    [ "$2" = 16 ] && type=e || type=c
    expect "start=2048,size=$(($3 - 2048)),type=$type" \
        "$(sfdisk -d "$raw" | sed -n 's/^.* : //p' | tr -d ' ')" "the partitions of $1"
    expect "FAT$2" "$(probe "$1" VERSION)" "the type of $1"
    expect "$4" "$(probe "$1" LABEL)" "the label of $1"
    signature=$(sfdisk -d "$raw" | sed -n 's/^label-id: //p')
    case $signature in 0x0 | 0x00000000 | '') fail "signature of $1: $signature" ;; esac
    expect - "$(value "$mnt/disks/$1/info" fault)" "fault of $1"
}

# is_clean NAME: fsck finds nothing to say about the type or the content
is_clean()
{
    run_python "copying the partition of $1" '
import os, sys
source, target = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_CREAT | os.O_RDWR)
size, end = os.fstat(source).st_size, 1 << 20
os.truncate(target, size - end)
while end < size:
    try:
        off = os.lseek(source, end, os.SEEK_DATA)
    except OSError:  # no data follows
        break
    end = os.lseek(source, off, os.SEEK_HOLE)
    while off < end:
        off += os.pwrite(target, os.pread(source, min(end - off, 1 << 20), off), off - (1 << 20))
' "$mnt/disks/$1/raw" "$tmp/partition"
    fsck.fat -nv "$tmp/partition" >"$tmp/said" 2>&1 || fail "fsck of $1: $(cat "$tmp/said")"
    if grep -qi -e warning -e differ -e mismatch "$tmp/said"; then
        fail "fsck of $1: $(cat "$tmp/said")"
    fi
    rm "$tmp/partition"
}

start_vhdfs

# The limits of each type, and odd sizes.
while read -r name size bits sectors; do
    make_long "$name" "$size format=fat$bits label=$name"
    is_formatted "$name" "$bits" "$sectors" "$name"
    is_clean "$name"
    [ "$(value "$mnt/disks/$name/info" used)" -lt 3000000 ] ||
        fail "$name takes $(value "$mnt/disks/$name/info" used) bytes"
done <<END
LEAST16 3177472B 16 6206
FOUR 4 16 8192
MOST16 1999 16 4093952
ODD16 536871424B 16 1048577
LEAST32 514 32 1052672
ODD32 9663677952B 32 18874371
END
make_long plain "512 format=fat16"
expect 'Create dynamic virtual hard disk "plain" (512 MB, FAT16)' \
    "$(cat "$mnt/tasks/plain/description")" "description"
is_formatted plain 16 1048576 ""
make_long quoted '512 label="my disk" format=fat16'
is_formatted quoted 16 1048576 "MY DISK"

# Its files are kept, and other disks have other signatures.
noise 3000000 1 >"$tmp/file"
mcopy -i "$mnt/disks/plain/raw@@1M" "$tmp/file" :: || fail "cannot copy to the disk"
sed -n 's/^label-id: //p' <<END | sort | uniq -d | grep . && fail "two disks have one signature"
$(sfdisk -d "$mnt/disks/plain/raw")
$(sfdisk -d "$mnt/disks/quoted/raw")
$(sfdisk -d "$mnt/disks/FOUR/raw")
END

# The largest. mkfs.fat writes 511 MB of tables to the host, and the disk keeps none of their zeros.
make_long BIG "2088960 format=fat32 label=BIG"
is_formatted BIG 32 4278190080 BIG
[ "$(value "$mnt/disks/BIG/info" used)" -lt 8000000 ] ||
    fail "the largest takes $(value "$mnt/disks/BIG/info" used) bytes"
mcopy -i "$mnt/disks/BIG/raw@@1M" "$tmp/file" :: || fail "cannot copy to the largest disk"
mcopy -n -i "$mnt/disks/BIG/raw@@1M" ::file "$tmp/back" || fail "cannot copy from the largest disk"
cmp "$tmp/file" "$tmp/back" || fail "the largest disk changes a file"

# A fixed disk owns all its space.
make_long fixed "520 type=fixed format=fat32 label=FIXED"
expect 'Create fixed virtual hard disk "fixed" (520 MB, FAT32)' \
    "$(cat "$mnt/tasks/fixed/description")" "description"
expect fixed "$(cat "$mnt/disks/fixed/type")" "type"
is_formatted fixed 32 1064960 FIXED
is_clean fixed
[ "$(value "$mnt/disks/fixed/info" used)" -ge 545259520 ] || fail "the fixed disk has holes"

stop_vhdfs
expect "" "$(find "$store" -name '.vhdfs-draft*')" "drafts that are left"
if command -v qemu-img >/dev/null; then
    qemu-img convert -f vpc -O raw "$store/plain.vhd" "$tmp/raw" || fail "QEMU cannot read it"
    mcopy -n -i "$tmp/raw@@1M" ::file "$tmp/again" || fail "QEMU finds no file"
    cmp "$tmp/file" "$tmp/again" || fail "QEMU reads another file"
fi
