#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a write to a disk that has children would change their content.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk parent
noise 5000000 parent >"$tmp/content"
dd if="$tmp/content" of="$raw" bs=1M conv=notrunc status=none || fail "cannot fill the parent"
wait_until 5 sh -c ": 1<>'$raw'"
stop_vhdfs
"$python" -I -S "$here/child.py" "$store/parent.vhd" "$store/child.vhd" || fail "cannot make a child"
before=$(cksum <"$store/parent.vhd")
start_vhdfs
child=$mnt/disks/child/raw

cmp -n 5000000 "$tmp/content" "$child" || fail "the child does not show what the parent holds"
for flags in 'cat /dev/null 1<>' 'cat /dev/null >>' ': >'; do
    sh -c "$flags'$raw'" 2>"$tmp/said" && fail "a parent can be written to by $flags"
    grep -qi 'read-only' "$tmp/said" || fail "$flags says: $(cat "$tmp/said")"
done
tail -n 1 "$mnt/errors" | grep -q ' disks/parent/raw EROFS VM_E_FILE_READ_ONLY .*differencing' ||
    fail "errors: $(tail -n 1 "$mnt/errors")"
cmp -n 5000000 "$tmp/content" "$raw" || fail "a parent cannot be read"

# Writes to the child change only its own file, whether the parent is open or not.
exec 3<"$raw"
noise 3000 child >"$tmp/part"
dd if="$tmp/part" of="$child" bs=1000 seek=1234 conv=notrunc,fsync status=none ||
    fail "cannot write to the child"
exec 3<&-
dd if="$tmp/part" of="$tmp/content" bs=1000 seek=1234 conv=notrunc status=none
cmp -n 5000000 "$tmp/content" "$child" || fail "the child holds something else"
: >"$child" || fail "cannot empty the child"
cmp -n 5000000 "$child" /dev/zero || fail "an emptied child does not read as zeros"

# A child that is copied over another image counts at once, though the folder shows no change.
stop_vhdfs
cp "$store/child.vhd" "$tmp/child"
rm "$store/child.vhd"
start_vhdfs
make_disk plain 8
sleep 0.1
sh -c ": 1<>'$mnt/disks/parent/raw'" || fail "a disk without children cannot be opened for writing"
sleep 0.1
cat "$tmp/child" >"$store/plain.vhd"
sh -c ": 1<>'$mnt/disks/parent/raw'" 2>"$tmp/said" && fail "a new child is not counted"
grep -qi 'read-only' "$tmp/said" || fail "it says: $(cat "$tmp/said")"
stop_vhdfs
expect "$before" "$(cksum <"$store/parent.vhd")" "the parent's image"
