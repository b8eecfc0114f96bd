#!/bin/sh
# If this failed: a disk that others are built on could be deleted, and with it what they hold.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/mount.sh"

start_vhdfs
echo "40 uuid=8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6" >"$mnt/new/parent" || fail "cannot make parent"
echo 40 >"$mnt/new/other" || fail "cannot make other"
cat >"$tmp/program" <<'END'
import sys, uuid

parent, child = sys.argv[1:]
image = bytearray(open(parent, "rb").read())


def seal(start, length, at):
    image[start + at:start + at + 4] = bytes(4)
    total = sum(image[start:start + length])
    image[start + at:start + at + 4] = (~total & 0xFFFFFFFF).to_bytes(4, "big")


for footer in 0, len(image) - 512:
    parent_uuid = bytes(image[footer + 68:footer + 84])
    image[footer + 60:footer + 64] = (4).to_bytes(4, "big")  # differencing
    image[footer + 68:footer + 84] = uuid.uuid4().bytes
    seal(footer, 512, 64)
image[512 + 40:512 + 56] = parent_uuid
name = "C:\\disks\\parent.vhd".encode("utf-16-be")
image[512 + 64:512 + 64 + len(name)] = name
seal(512, 1024, 36)
open(child, "wb").write(image)
END
python3 "$tmp/program" "$store/parent.vhd" "$store/child.vhd" || fail "cannot make a child"

child=$mnt/disks/child/info
expect differencing "$(value "$child" type)" "type of the child"
expect parent "$(value "$child" parent)" "parent of the child"
expect parent "$(cat "$mnt/disks/child/parent")" "one value"
expect 8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6 "$(value "$child" parent_uuid)" \
    "parent_uuid of the child"
expect 1 "$(value "$mnt/disks/parent/info" children)" "children of the parent"
expect 0 "$(value "$mnt/disks/other/info" children)" "children of another"

rmdir "$mnt/disks/parent" 2>"$tmp/said" && fail "the parent was deleted"
grep -q 'resource busy' "$tmp/said" || fail "rmdir says: $(cat "$tmp/said")"
tail -n 1 "$mnt/errors" | grep -q ' disks/parent EBUSY E_SHARING_VIOLATION .' ||
    fail "errors: $(cat "$mnt/errors")"
[ -f "$store/parent.vhd" ] || fail "the parent is gone"

rmdir "$mnt/disks/child" || fail "cannot delete the child"
expect 0 "$(value "$mnt/disks/parent/info" children)" "children afterwards"
rmdir "$mnt/disks/parent" || fail "cannot delete the parent without children"
