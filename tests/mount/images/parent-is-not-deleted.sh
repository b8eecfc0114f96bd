#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user could delete a disk that has children, and with it a part of their content.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
echo "40 uuid=8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6" >"$mnt/new/parent" || fail "cannot make parent"
echo 40 >"$mnt/new/other" || fail "cannot make other"
"$python" -I -S "$here/child.py" "$store/parent.vhd" "$store/child.vhd" ||
    fail "cannot make a child"

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
exec 3<"$mnt/disks/child/raw"
rmdir "$mnt/disks/parent" 2>/dev/null && fail "the parent of an open disk was deleted"
tail -n 1 "$mnt/errors" | grep -q 'has 1 differencing disk' || fail "errors: $(cat "$mnt/errors")"
exec 3<&-
[ -f "$store/parent.vhd" ] || fail "the parent is gone"

rmdir "$mnt/disks/child" || fail "cannot delete the child"
expect 0 "$(value "$mnt/disks/parent/info" children)" "children afterwards"
rmdir "$mnt/disks/parent" || fail "cannot delete the parent without children"
