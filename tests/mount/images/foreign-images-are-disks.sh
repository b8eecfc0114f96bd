#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: images from QEMU or Windows would be missing, or have a wrong size.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command qemu-img qemu-io
mkdir "$store"
qemu-img create -q -f vpc -o subformat=dynamic,force_size=on "$store/dynamic.vhd" 64M ||
    fail "qemu-img failed"
qemu-img create -q -f vpc -o subformat=fixed,force_size=on "$store/fixed.vhd" 5M ||
    fail "qemu-img failed"
qemu-img create -q -f vpc "$store/rounded.vhd" 100M || fail "qemu-img failed"
qemu-io -f vpc -c 'write 0 1M' -c 'write 10M 1k' "$store/dynamic.vhd" >/dev/null ||
    fail "qemu-io failed"
start_vhdfs

# tells DISK KEY VALUE
tells()
{
    expect "$3" "$(value "$mnt/disks/$1/info" "$2")" "$2 of $1"
}

expect "dynamic fixed rounded" "$(names "$mnt/disks")" "the disks"
tells dynamic type dynamic
tells dynamic size 64
tells dynamic bytes 67108864
tells dynamic blocks 32
tells dynamic allocated 2
tells fixed type fixed
tells fixed size 5
tells fixed length $((5242880 + 512))
tells fixed blocks -
tells fixed allocated -
bytes=$(stat -c %s "$store/rounded.vhd")
tells rounded length "$bytes"
for disk in dynamic fixed rounded; do
    tells "$disk" fault -
    tells "$disk" children 0
    tells "$disk" parent -
    [ "$(value "$mnt/disks/$disk/info" creator)" != - ] || fail "$disk has no creator"
    [ ! -e "$mnt/tasks/$disk" ] || fail "$disk has a record"
    names "$mnt/disks/$disk" | grep -qw task && fail "$disk has a task"
    size=$(size_by_qemu "$store/$disk.vhd")
    [ "$disk" = rounded ] || tells "$disk" bytes "$size"
done

# A request accepts a size that is not a whole number of MB.
size=$(cat "$mnt/disks/rounded/size")
echo "$size" >"$mnt/new/same" || fail "the size \"$size\" is refused"
expect "$(value "$mnt/disks/rounded/info" bytes)" "$(value "$mnt/disks/same/info" bytes)" \
    "bytes of a disk of the same size"
