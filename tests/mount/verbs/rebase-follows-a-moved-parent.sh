#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a differencing disk whose parent was renamed would be lost to its user, or a wrong
# parent would be recorded without a word.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
noise 3000000 1 >"$tmp/one"
noise 2000000 2 >"$tmp/two"
make_disk base 16
dd if="$tmp/one" of="$raw" bs=1M conv=notrunc,fsync status=none
make_disk middle parent=base
dd if="$tmp/two" of="$raw" bs=1M conv=notrunc,fsync status=none
make_disk top parent=middle
echo on top | dd of="$raw" bs=512 seek=20000 conv=notrunc,fsync status=none
content=$(cksum <"$raw")

# same WHAT: the whole chain reads as before
same()
{
    expect "$content" "$(cksum <"$mnt/disks/top/raw")" "the content after $1"
    expect - "$(value "$mnt/disks/top/info" fault)" "the fault of top after $1"
    expect - "$(value "$mnt/disks/middle/info" fault)" "the fault of middle after $1"
}

# The parent's file gets another name, here or by another program.
mv "$store/base.vhd" "$store/moved.vhd"
cat "$mnt/disks/middle/raw" >/dev/null 2>&1 && fail "a disk without its parent opens"
verb middle 'rebase moved'
expect moved "$(cat "$mnt/disks/middle/parent")" "parent"
expect 'rebase middle completed' "$(value "$mnt/tasks/middle/status" operation) middle $(cat "$mnt/tasks/middle/state")" "task"
same "a move"

# Another time, as after a restore. Then no child has a remark.
touch -d '2020-01-01' "$store/moved.vhd"
[ "$(value "$mnt/disks/middle/info" fault)" != - ] || fail "another time is not told"
verb middle 'rebase moved'
same "another time"

# A long name, with blanks.
long="a disk with $(printf '\303\266%.0s' $(seq 100)) as its name"
mv "$store/moved.vhd" "$store/$long.vhd"
verb middle "rebase \"$long\""
same "a long name"
mv "$store/$long.vhd" "$store/base.vhd"
verb middle 'rebase base.vhd'
same "all"

# Refused, and nothing has changed.
before=$(cksum "$store"/*.vhd)
make_disk other 16
verb_fails middle 'rebase none' 'ENOENT VM_E_PARENT_PATH_NOT_FOUND'
verb_fails middle 'rebase middle' 'EINVAL E_INVALIDARG .*itself'
verb_fails middle 'rebase top' 'EINVAL E_INVALIDARG'
verb_fails middle 'rebase other' 'EUCLEAN VM_E_PARENT_CHILD_ID_MISMATCH .*force'
verb_fails base 'rebase other force' 'EOPNOTSUPP VM_E_WRONG_HD_IMAGE_TYPE'
verb_fails middle rebase 'EINVAL E_INVALIDARG'
exec 3<"$mnt/disks/top/raw"
verb_fails middle 'rebase base' 'EBUSY E_SHARING_VIOLATION'
verb_fails top 'rebase middle' 'EBUSY E_SHARING_VIOLATION'
exec 3<&-
rmdir "$mnt/disks/other"
expect "$before" "$(cksum "$store"/*.vhd)" "the images after refusals"

# Another disk is the parent only by force.
make_disk other 16
verb top 'rebase other force'
expect 'on top' "$(dd if="$mnt/disks/top/raw" bs=512 skip=20000 count=1 status=none | tr -d '\0')" "own data"
verb top 'rebase middle force'
same "force"
rmdir "$mnt/disks/other"

# Two at once: one after the other, or one is refused.
mv "$store/middle.vhd" "$store/m.vhd"
(verb m 'rebase base') &
first=$!
echo 'rebase m' 2>/dev/null >"$mnt/disks/top/ctl"
wait "$first" || fail "the first of two"
echo 'rebase m' >"$mnt/disks/top/ctl" || fail "the second of two: $(tail -n 1 "$mnt/errors")"
expect "$content" "$(cksum <"$mnt/disks/top/raw")" "the content after two at once"

# A store that is only read, and other readers.
stop_vhdfs
start_vhdfs ro
echo 'rebase m' 2>/dev/null >"$mnt/disks/top/ctl" && fail "a store that is only read is changed"
expect "$content" "$(cksum <"$mnt/disks/top/raw")" "the content by ro"
stop_vhdfs
if command -v vhdimount >/dev/null && command -v fusermount3 >/dev/null; then
    mkdir "$tmp/lib"
    if (cd "$store" && vhdimount top.vhd "$tmp/lib") >"$tmp/said" 2>&1; then
        undo "umount -l '$tmp/lib'"
        # It shows each image of the chain; the last one is the whole disk.
        last=$(find "$tmp/lib" -name 'vhdi*' | sort -V | tail -n 1)
        expect "vhdi3 $content" "${last##*/} $(cksum <"$last")" "the content by libvhdi"
    else
        echo "libvhdi: $(cat "$tmp/said")"
    fi
fi
