#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a merge would lose what the child holds, let the parent's sectors show in its place,
# or delete a child whose content is nowhere else.
#
# Usage: merge-gives-the-parent-the-content.sh dynamic|fixed
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
type=$1

# put NAME SKIP SEEK COUNT: write sectors of noise to a disk
put()
{
    dd if="$tmp/noise" of="$mnt/disks/$1/raw" bs=512 skip="$2" seek="$3" count="$4" \
        conv=notrunc status=none || fail "cannot write to $1"
}

# sum NAME: checksum of its content
sum()
{
    cksum <"$mnt/disks/$1/raw"
}

start_vhdfs
noise 12000000 1 >"$tmp/noise"
make_long base "40 type=$type"
put base 0 0 15000
make_disk middle parent=base
put middle 100 8000 3000   # over data of the base
put middle 7 40001 5       # over nothing, in parts of 4 KiB
make_disk child parent=middle
put child 300 9000 100     # over the middle
put child 9 40003 1        # within a subblock of the middle
put child 500 70000 6000   # new blocks
dd if=/dev/zero of="$mnt/disks/child/raw" bs=512 seek=100 count=5000 conv=notrunc,fsync status=none
# A whole block of zeros over data of the base, which the middle does not hold.
dd if=/dev/zero of="$mnt/disks/child/raw" bs=2M count=1 conv=notrunc,fsync status=none
content=$(sum child)

# The middle has a child, so it cannot be merged; its own child can.
verb_fails middle merge 'EBUSY E_SHARING_VIOLATION .*1 differencing disk'
verb child merge
expect "$content" "$(sum middle)" "content of the parent"
[ ! -e "$mnt/disks/child" ] || fail "the child is still there"
expect completed "$(cat "$mnt/tasks/child/state")" "the record under the name of the child"
expect - "$(value "$mnt/disks/middle/info" fault)" "fault of the parent"
expect differencing "$(cat "$mnt/disks/middle/type")" "type of the parent"
if command -v vhdiinfo >/dev/null; then
    vhdiinfo "$store/middle.vhd" >"$tmp/said" || fail "vhdiinfo: $(cat "$tmp/said")"
fi
verb middle merge
expect "$content" "$(sum base)" "content of the base"
expect "$type" "$(cat "$mnt/disks/base/type")" "type of the base"
expect - "$(value "$mnt/disks/base/info" fault)" "fault of the base"
expect 0 "$(value "$mnt/disks/base/info" slack)" "slack of the base"
expect ".vhdfs-lock base.vhd" "$(names "$store")" "the store"
if command -v qemu-img >/dev/null && [ "$type" = dynamic ]; then
    qemu-img compare -q -f vpc -F raw "$store/base.vhd" "$mnt/disks/base/raw" ||
        fail "QEMU reads another content"
fi
put base 0 0 20000
stop_vhdfs
