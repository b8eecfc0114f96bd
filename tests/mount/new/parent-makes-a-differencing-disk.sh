#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a disk made with parent= would show other content than its parent, or
# change the parent, or other programs could not read it.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
noise 3000000 base >"$tmp/content"

# Right after the writer's close, in one line of a script.
make_disk base 64
base=$raw
dd if="$tmp/content" of="$base" bs=1M conv=notrunc status=none && make_disk child parent=base
cmp "$base" "$raw" || fail "the child differs from its parent"
expect differencing "$(value "$mnt/disks/child/info" type)" "type"
expect base "$(value "$mnt/disks/child/info" parent)" "parent"
expect 1 "$(value "$mnt/disks/base/info" children)" "children of the parent"
expect - "$(value "$mnt/disks/child/info" fault)" "fault of the child"
expect 'Create differencing virtual hard disk "child" on "base"' \
    "$(cat "$mnt/tasks/child/description")" "description"

before=$(cksum <"$store/base.vhd")
noise 5000 child >"$tmp/part"
dd if="$tmp/part" of="$raw" bs=1000 seek=99 conv=notrunc,fsync status=none || fail "cannot write"
cp "$base" "$tmp/flat"
dd if="$tmp/part" of="$tmp/flat" bs=1000 seek=99 conv=notrunc status=none
cmp "$tmp/flat" "$raw" || fail "the child does not hold what was written to it"
expect "$before" "$(cksum <"$store/base.vhd")" "the parent's image"

# A grandchild, quotes, an ending, a size, a uuid.
make_disk 'my disk' '"64 MB" parent=child.vhd type=differencing'
cmp "$tmp/flat" "$raw" || fail "the grandchild differs"
uuid=8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6
make_disk last "parent=\"my disk\" uuid=$uuid"
cmp "$tmp/flat" "$raw" || fail "the last of four differs"
expect "$uuid" "$(value "$mnt/disks/last/info" uuid)" "uuid"
expect 4 "$(value "$mnt/disks/last/info" depth)" "depth"

request_fails other parent=none 'ENOENT VM_E_PARENT_PATH_NOT_FOUND .*"none"'
request_fails other '65 parent=base' 'EINVAL E_INVALIDARG .*65 MB.*64 MB'
request_fails other 'parent=base type=dynamic' 'EINVAL E_INVALIDARG'
request_fails other 'parent=../base' 'EINVAL E_INVALIDARG'
request_fails other type=differencing 'EINVAL E_INVALIDARG .*parent'
: >"$store/text.vhd"
request_fails other parent=text 'EUCLEAN VM_E_INVALID_HD_FILE'
make_disk busy 16
exec 3<>"$raw"
request_fails other parent=busy 'EBUSY E_SHARING_VIOLATION .*"busy" is open'
exec 3>&-
make_disk other parent=busy
rmdir "$mnt/disks/other"

# A child has copies of its parents' sectors, so it is no more readable than any of them.
for mode in 600 640 604 644; do
    chmod "$mode" "$store/child.vhd"
    make_disk private parent=last
    expect "$mode" "$(stat -c %a "$store/private.vhd")" "mode of the image on one with $mode"
    rmdir "$mnt/disks/private"
done

rmdir "$mnt/disks/base" 2>/dev/null && fail "a parent can be deleted"
sh -c ": 1<>'$base'" 2>/dev/null && fail "a parent can be written to"
for name in last 'my disk' child base; do
    rmdir "$mnt/disks/$name" || fail "cannot delete $name"
done

# After a remount, and for another program.
make_disk base 16
printf 'the parent' | dd of="$raw" conv=notrunc status=none
make_disk child parent=base
stop_vhdfs
start_vhdfs
expect 'the parent' "$(head -c 10 "$mnt/disks/child/raw")" "content after a remount"
if command -v vhdiinfo >/dev/null; then
    vhdiinfo "$store/child.vhd" >"$tmp/said" || fail "vhdiinfo: $(cat "$tmp/said")"
    grep -q 'Parent filename.*: base.vhd' "$tmp/said" || fail "vhdiinfo: $(cat "$tmp/said")"
fi
stop_vhdfs
