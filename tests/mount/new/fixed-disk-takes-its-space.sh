#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a fixed disk would have another size or content, would not own its space, or the
# writer would not hear that the host lacks it.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

loop_mount 120 "$tmp/host" mkfs.ext4 -q
store=$tmp/host/store
start_vhdfs
uuid=8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6
make_long f "64 type=fixed uuid=$uuid"
info=$mnt/disks/f/info
expect fixed "$(value "$info" type)" "type"
expect 64 "$(value "$info" size)" "size"
expect $((64 * 1048576 + 512)) "$(value "$info" length)" "length of the file"
expect "$uuid" "$(value "$info" uuid)" "uuid"
expect - "$(value "$info" fault)" "fault"
[ "$(value "$info" used)" -ge 67108864 ] || fail "it takes $(value "$info" used) bytes"
expect 'Create fixed virtual hard disk "f" (64 MB)' "$(cat "$mnt/tasks/f/description")" \
    "description"
raw=$mnt/disks/f/raw
cmp -n 67108864 "$raw" /dev/zero || fail "a new disk holds other bytes than zeros"

# The host has 120 MB, less what the disk and the file system take.
request_fails g "64 type=fixed" 'ENOSPC E_DISK_FULL .*MB are free.*takes 65 MB'
request_fails g "1T type=fixed" 'ENOSPC E_DISK_FULL'
request_fails g "64 type=fixed parent=f" 'EINVAL E_INVALIDARG .*not fixed'
expect "open EEXIST" "$(answer "$mnt/new/f" "4 type=fixed")" "the answer for a name in use"
dd if=/dev/zero of="$tmp/host/filler" bs=1M status=none 2>/dev/null && fail "the host is not full"
noise 67108864 1 >"$tmp/content"
dd if="$tmp/content" of="$raw" bs=1M conv=notrunc,fsync status=none ||
    fail "a fixed disk needs more space of the host"
cmp "$tmp/content" "$raw" || fail "it holds other bytes than were written"
rm "$tmp/host/filler"
stop_vhdfs
if command -v qemu-img >/dev/null; then
    qemu-img convert -f vpc -O raw "$store/f.vhd" "$tmp/raw"
    cmp "$tmp/content" "$tmp/raw" || fail "QEMU reads other bytes"
fi
if command -v vhdiinfo >/dev/null; then
    vhdiinfo "$store/f.vhd" >"$tmp/said" || fail "vhdiinfo: $(cat "$tmp/said")"
    grep -q 'Fixed' "$tmp/said" || fail "vhdiinfo: $(cat "$tmp/said")"
fi
expect ".vhdfs-lock f.vhd" "$(names "$store")" "the store"
