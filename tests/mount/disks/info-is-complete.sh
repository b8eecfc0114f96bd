#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user could not learn the facts of a disk without another tool, or `info` would
# differ from the image.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command qemu-img
start_vhdfs
echo "4096 uuid=8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6" >"$mnt/new/d" || fail "cannot make d"
disk=$mnt/disks/d
keys="name path type size bytes used length uuid created creator geometry blocks allocated"
keys="$keys parent parent_uuid children depth slack human fault"

expect "$keys" "$(cut -d ' ' -f 1 "$disk/info" | paste -sd ' ')" "keys"
for key in size type uuid parent geometry used path; do
    expect "$(value "$disk/info" $key)" "$(cat "$disk/$key")" "$key"
    expect 1 "$(wc -l <"$disk/$key")" "lines of $key"
    expect 444 "$(stat -c %a "$disk/$key")" "mode of $key"
done
expect 755 "$(stat -c %a "$disk")" "mode of the folder"

expect "d $store/d.vhd dynamic" "$(value "$disk/info" name) $(cat "$disk/path" "$disk/type" | paste -sd ' ')" \
    "name, path and type"
expect "4096 4294967296" "$(cat "$disk/size") $(value "$disk/info" bytes)" "size and bytes"
expect "$(stat -c %s "$store/d.vhd")" "$(value "$disk/info" length)" "length"
expect "$(($(stat -c '%b * %B' "$store/d.vhd")))" "$(cat "$disk/used")" "used"
expect 8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6 "$(cat "$disk/uuid")" "uuid"
expect "2048 0" "$(value "$disk/info" blocks) $(value "$disk/info" allocated)" \
    "blocks and allocated"
expect - "$(cat "$disk/parent")" "parent"
expect - "$(value "$disk/info" parent_uuid)" "parent_uuid"
expect 0 "$(value "$disk/info" children)" "children"
expect "1 0" "$(value "$disk/info" depth) $(value "$disk/info" slack)" "depth and slack"
expect "4.0 GiB" "$(value "$disk/info" human)" "human"
expect - "$(value "$disk/info" fault)" "fault"
[ $(($(date +%s) - $(date -d "$(value "$disk/info" created)" +%s))) -lt 60 ] ||
    fail "created: $(value "$disk/info" created)"
expect "$(stat -c %Y "$store/d.vhd")" "$(stat -c %Y "$disk/info")" "time of info"

# Another program sees the same disk.
expect 4294967296 "$(size_by_qemu "$store/d.vhd")" "the size that QEMU sees"
qemu-img info --output=json "$store/d.vhd" | grep -q '"format": "vpc"' || fail "qemu sees no VHD"
