#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user who copies a qcow2 or a packed image to a name with ".vhd" would read of a
# missing footer, not of its format.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command qemu-img gzip bzip2 xz zstd mkfs.ext4 sfdisk
mkdir "$store"
for format in vhdx qcow2 vmdk vdi; do
    qemu-img create -q -f "$format" "$store/$format.vhd" 16M || fail "qemu-img failed"
done
qemu-img create -q -f vpc "$tmp/disk" 16M || fail "qemu-img failed"
for packer in gzip bzip2 xz zstd; do
    "$packer" -c "$tmp/disk" >"$store/$packer.vhd" || fail "$packer failed"
done
"$python" -I -S -c 'import sys, zipfile
zipfile.ZipFile(sys.argv[2], "w").write(sys.argv[1])' "$tmp/disk" "$store/zip.vhd" || fail "no zip"
for raw in ext mbr gpt; do
    truncate -s 16M "$store/$raw.vhd"
done
mkfs.ext4 -q -F "$store/ext.vhd" || fail "mkfs.ext4 failed"
echo ,,L | sfdisk -q -X dos "$store/mbr.vhd" || fail "sfdisk failed"
echo ,,L | sfdisk -q -X gpt "$store/gpt.vhd" || fail "sfdisk failed"
truncate -s 32769 "$store/iso.vhd"
printf 'CD001\1' >>"$store/iso.vhd"
truncate -s 64K "$store/iso.vhd"
echo "no disk at all" >"$store/text.vhd"
start_vhdfs

# named DISK WHAT
named()
{
    told=$(value "$mnt/disks/$1/info" fault)
    case $told in
    "this is $2"*"; vhdfs reads VHD images only") ;;
    *) fail "$1: $told" ;;
    esac
    cat "$mnt/disks/$1/raw" >/dev/null 2>&1 && fail "$1 opens"
    grep -qF " EUCLEAN VM_E_INVALID_HD_FILE the disk \"$1\": $told" "$mnt/errors" ||
        fail "the refusal of $1 is not told: $(tail -n 1 "$mnt/errors")"
}

named vhdx "a VHDX image"
named qcow2 "a qcow2 image"
named vmdk "a VMDK image"
named vdi "a VDI image"
named gzip "a gzip file"
named bzip2 "a bzip2 file"
named xz "an xz file"
named zstd "a zstd file"
named zip "a zip file"
named ext "a raw image of an ext file system"
named mbr "a raw disk image with a boot sector (MBR)"
named gpt "a raw disk image with a GPT"
named iso "an ISO 9660 image"
told=$(value "$mnt/disks/text/info" fault)
expect "the file has no VHD footer, neither at its end nor at its start: it has 15 bytes" "$told" \
    "fault of a text"
