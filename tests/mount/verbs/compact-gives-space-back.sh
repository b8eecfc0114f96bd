#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: an image would stay as long as it has ever been, or compacting would change the
# content, need free space, or damage the image when it ends half-way.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

# sum NAME: checksum of its content
sum()
{
    cksum <"$mnt/disks/$1/raw"
}

# length NAME: bytes of its image
length()
{
    stat -c %s "$store/$1.vhd"
}

# sound NAME CHECKSUM: the content is the same, and the image is whole
sound()
{
    expect "$2" "$(sum "$1")" "content of $1"
    expect - "$(value "$mnt/disks/$1/info" fault)" "fault of $1"
    expect 0 "$(value "$mnt/disks/$1/info" slack)" "slack of $1"
}

start_vhdfs
noise 30000000 1 >"$tmp/noise"

# Zeros between data: 15 blocks, of which six become zeros.
make_disk d 60
dd if="$tmp/noise" of="$raw" bs=1M conv=notrunc,fsync status=none
wait_until 20 is_trimmed d
before=$(length d)
dd if=/dev/zero of="$raw" bs=1M count=8 seek=4 conv=notrunc,fsync status=none
dd if=/dev/zero of="$raw" bs=1M count=4 seek=18 conv=notrunc,fsync status=none
content=$(sum d)
expect 15 "$(value "$mnt/disks/d/info" allocated)" "blocks before"
verb d compact
expect 9 "$(value "$mnt/disks/d/info" allocated)" "blocks after"
expect $((before - 6 * (2097152 + 4096))) "$(length d)" "length after"
sound d "$content"
expect 'Compact virtual hard disk "d"' "$(cat "$mnt/tasks/d/description")" "description"
if command -v qemu-img >/dev/null; then
    qemu-img compare -q -f vpc -F raw "$store/d.vhd" "$raw" || fail "QEMU reads another content"
fi
# Once more it changes nothing.
image=$(cksum <"$store/d.vhd")
verb d compact
expect "$image" "$(cksum <"$store/d.vhd")" "the image after a second time"
# The disk goes on.
dd if="$tmp/noise" of="$raw" bs=1M conv=notrunc,fsync status=none
cmp -n 30000000 "$tmp/noise" "$raw" || fail "the disk cannot be written"

# A child: zeros over data of the parent stay, other zeros go.
make_disk child parent=d
dd if=/dev/zero of="$raw" bs=1M count=2 seek=2 conv=notrunc,fsync status=none
dd if=/dev/zero of="$raw" bs=1M count=2 seek=48 conv=notrunc,fsync status=none
dd if="$tmp/noise" of="$raw" bs=1M count=2 seek=50 conv=notrunc,fsync status=none
dd if=/dev/zero of="$raw" bs=1M count=2 seek=50 conv=notrunc,fsync status=none
dd if="$tmp/noise" of="$raw" bs=1M count=1 seek=56 conv=notrunc,fsync status=none
content=$(sum child)
verb child compact
expect 2 "$(value "$mnt/disks/child/info" allocated)" "blocks of the child"
sound child "$content"
verb_fails d compact 'EBUSY E_SHARING_VIOLATION .*1 differencing disk'
make_long fixed '8 type=fixed'
verb_fails fixed compact 'EOPNOTSUPP VM_E_WRONG_HD_IMAGE_TYPE'
exec 3<"$mnt/disks/child/raw"
verb_fails child compact 'EBUSY E_SHARING_VIOLATION'
exec 3>&-

# Killed at any time, it loses nothing.
make_disk k 60
dd if="$tmp/noise" of="$raw" bs=1M conv=notrunc status=none
dd if=/dev/zero of="$raw" bs=1M count=14 conv=notrunc,fsync status=none
content=$(sum k)
for ms in 0 2 5 10 20 50; do
    cp --reflink=auto "$store/k.vhd" "$tmp/k.vhd"
    echo compact >"$mnt/disks/k/ctl" || fail "refused: $(tail -n 1 "$mnt/errors")"
    sleep "0.0$ms"
    kill_vhdfs
    start_vhdfs
    expect "$content" "$(sum k)" "content after a kill"
    cp "$tmp/k.vhd" "$store/k.vhd"
done
verb k compact
sound k "$content"
stop_vhdfs
