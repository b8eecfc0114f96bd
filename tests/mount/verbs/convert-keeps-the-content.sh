#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a converted disk would hold other content, be another disk for other programs, or
# belong to another user; or a failed conversion would leave a damaged disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

# sum NAME: checksum of its content
sum()
{
    cksum <"$mnt/disks/$1/raw"
}

start_vhdfs
make_disk base 40
noise 9000000 1 >"$tmp/noise"
dd if="$tmp/noise" of="$raw" bs=512 seek=77 conv=notrunc,fsync status=none
make_disk child parent=base
dd if="$tmp/noise" of="$raw" bs=1000 seek=3333 count=2000 conv=notrunc,fsync status=none
sum base >"$tmp/base"
sum child >"$tmp/child"
chmod 640 "$store/child.vhd"
[ "$(id -u)" != 0 ] || chown 12345:54321 "$store/child.vhd"
attributes=$(stat -c '%a %u %g' "$store/child.vhd")
uuid=$(cat "$mnt/disks/child/uuid")

# The parent has a child; the child is flattened.
verb_fails base 'convert fixed' 'EBUSY E_SHARING_VIOLATION .*1 differencing disk'
verb child 'convert dynamic'
expect dynamic "$(cat "$mnt/disks/child/type")" "type of the flattened disk"
expect - "$(cat "$mnt/disks/child/parent")" "parent of the flattened disk"
expect "$(cat "$tmp/child")" "$(sum child)" "content of the flattened disk"
expect "$uuid" "$(cat "$mnt/disks/child/uuid")" "identity"
others=$(stat -c '%a %u %g' "$store/child.vhd")
[ "$(id -u)" != 0 ] || expect "${attributes#* }" "${others#* }" "owner"
expect 'Convert virtual hard disk "child" to dynamic' "$(cat "$mnt/tasks/child/description")" \
    "description"

# There and back.
verb base 'convert fixed'
expect fixed "$(cat "$mnt/disks/base/type")" "type"
expect "$(cat "$tmp/base")" "$(sum base)" "content of the fixed disk"
expect $(((40 << 20) + 512)) "$(stat -c %s "$store/base.vhd")" "length of the fixed image"
[ "$(value "$mnt/disks/base/info" used)" -ge $((40 << 20)) ] || fail "it does not own its space"
verb base 'convert dynamic'
expect "$(cat "$tmp/base")" "$(sum base)" "content of the dynamic disk"
[ "$(value "$mnt/disks/base/info" used)" -lt $((20 << 20)) ] || fail "holes are lost"
expect - "$(value "$mnt/disks/base/info" fault)" "fault"
if command -v qemu-img >/dev/null; then
    expect $((40 << 20)) "$(size_by_qemu "$store/base.vhd")" "size by QEMU"
fi

# A disk of that type already stays as it is.
before=$(stat -c '%i %Y' "$store/base.vhd")
verb base 'convert dynamic'
expect "$before" "$(stat -c '%i %Y' "$store/base.vhd")" "the image of a dynamic disk"

# It is not in use, neither here nor in another program.
exec 3<"$mnt/disks/base/raw"
verb_fails base 'convert fixed' 'EBUSY E_SHARING_VIOLATION .*close it in every program'
exec 3>&-
verb base 'convert fixed'
printf x | dd of="$mnt/disks/base/raw" conv=notrunc,fsync status=none
names "$store" | grep -q draft && fail "a draft is left: $(names "$store")"
stop_vhdfs
