#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a snapshot would change with the disk, or the disk would lose its content.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
noise 3000000 1 >"$tmp/one"
make_disk d 16
dd if="$tmp/one" of="$raw" bs=1M conv=notrunc,fsync status=none
chmod 640 "$raw"
uuid=$(cat "$mnt/disks/d/uuid")
number=$(stat -c %i "$raw")
image=$(stat -c '%i %Y %s' "$store/d.vhd")
first=$(cksum <"$raw")

verb d 'snapshot monday'
expect "d monday" "$(names "$mnt/disks")" "the disks"
expect ".vhdfs-lock d.vhd monday.vhd" "$(names "$store")" "the store"
expect "$image" "$(stat -c '%i %Y %s' "$store/monday.vhd")" "the image"
expect "$number" "$(stat -c %i "$mnt/disks/monday/raw")" "the inode number of the snapshot"
[ "$number" != "$(stat -c %i "$raw")" ] || fail "the disk has the snapshot's inode number"
expect "$uuid" "$(cat "$mnt/disks/monday/uuid")" "the identity of the snapshot"
[ "$uuid" != "$(cat "$mnt/disks/d/uuid")" ] || fail "the disk has the snapshot's identity"
expect monday "$(cat "$mnt/disks/d/parent")" "parent"
expect - "$(value "$mnt/disks/d/info" fault)" "fault"
expect 640 "$(stat -c %a "$mnt/disks/d/raw")" "mode of the disk"
expect 640 "$(stat -c %a "$mnt/disks/monday/raw")" "mode of the snapshot"
expect "$first" "$(cksum <"$raw")" "the content of the disk"
expect "$first" "$(cksum <"$mnt/disks/monday/raw")" "the content of the snapshot"
# The task is on record under both names.
for name in d monday; do
    expect "snapshot completed" "$(value "$mnt/tasks/$name/status" operation) $(cat "$mnt/tasks/$name/state")" \
        "the task of $name"
done
grep -q '"d" as "monday"' "$mnt/tasks/d/description" || fail "description: $(cat "$mnt/tasks/d/description")"

# The disk goes on; the snapshot stays, and can only be read.
echo tuesday | dd of="$raw" bs=512 seek=3 conv=notrunc,fsync status=none
second=$(cksum <"$raw")
[ "$first" != "$second" ] || fail "the write is not there"
expect "$first" "$(cksum <"$mnt/disks/monday/raw")" "the content of the snapshot after a write"
(echo x >"$mnt/disks/monday/raw") 2>/dev/null && fail "a snapshot is written to"

# A chain of three, and one of a fixed disk.
verb d 'snapshot tuesday'
echo wednesday | dd of="$raw" bs=512 seek=9000 conv=notrunc,fsync status=none
expect "$first" "$(cksum <"$mnt/disks/monday/raw")" "monday"
expect "$second" "$(cksum <"$mnt/disks/tuesday/raw")" "tuesday"
expect 3 "$(value "$mnt/disks/d/info" depth)" "depth"
make_long full '3 type=fixed'
dd if="$tmp/one" of="$mnt/disks/full/raw" bs=512 count=100 conv=notrunc,fsync status=none
full=$(cksum <"$mnt/disks/full/raw")
verb full 'snapshot full1'
expect "differencing fixed" "$(cat "$mnt/disks/full/type") $(cat "$mnt/disks/full1/type")" "types"
expect "$full" "$(cksum <"$mnt/disks/full/raw")" "the content of the fixed disk"

# A program that knows the disk by a descriptor or a folder of before gets the disk of now.
make_disk e 16
exec 4<"$mnt/disks/e"
dd if="$tmp/one" of="$raw" bs=1M conv=notrunc,fsync status=none
cksum <"$raw" >/dev/null
verb e 'snapshot e1'
echo now | dd of="/proc/self/fd/4/raw" bs=512 seek=5 conv=notrunc,fsync status=none
expect now "$(dd if="$raw" bs=512 skip=5 count=1 status=none | head -c 3)" "a write by an old folder"
expect "$first" "$(cksum <"$mnt/disks/e1/raw")" "the snapshot"
exec 4<&-

# Undone: the disk goes, and the snapshot gets its name.
rmdir "$mnt/disks/e"
mv "$mnt/disks/e1" "$mnt/disks/e"
expect "$first" "$(cksum <"$mnt/disks/e/raw")" "the content after undoing"
echo more | dd of="$mnt/disks/e/raw" bs=512 conv=notrunc,fsync status=none || fail "it cannot be written to"

# Ended: the snapshot takes over what the disk has, and then its name.
ended=$(cksum <"$mnt/disks/e/raw")
verb e 'snapshot e2'
echo last | dd of="$mnt/disks/e/raw" bs=512 seek=8000 conv=notrunc,fsync status=none
[ "$ended" != "$(cksum <"$mnt/disks/e/raw")" ] || fail "the last write is not there"
ended=$(cksum <"$mnt/disks/e/raw")
echo merge >"$mnt/disks/e/ctl" || fail "merge: $(tail -n 1 "$mnt/errors")"
expect completed "$(cat "$mnt/tasks/e/wait")" "the outcome of merge"
mv "$mnt/disks/e2" "$mnt/disks/e"
expect "$ended" "$(cksum <"$mnt/disks/e/raw")" "the content after merge"

# All is there in the next mount.
stop_vhdfs
start_vhdfs
expect "$first" "$(cksum <"$mnt/disks/monday/raw")" "monday in the next mount"
expect "$second" "$(cksum <"$mnt/disks/tuesday/raw")" "tuesday in the next mount"
expect wednesday "$(dd if="$mnt/disks/d/raw" bs=512 skip=9000 count=1 status=none | tr -d '\0')" "wednesday"
