#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: on a USB stick a snapshot would fail in a way that nobody understands, or a disk
# there could not get another parent.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root
need_file_system vfat
loop_mount 64 "$tmp/stick" mkfs.vfat
store=$tmp/stick/disks
start_vhdfs
make_disk d 16
noise 1000000 1 >"$tmp/one"
dd if="$tmp/one" of="$raw" bs=1M conv=notrunc,fsync status=none
content=$(cksum <"$raw")
before=$(cksum "$store"/*.vhd)
verb_fails d 'snapshot s' 'EPERM E_NOT_SUPPORTED .*no second name'
expect "$before" "$(cksum "$store"/*.vhd)" "the images after a refusal"
expect ".vhdfs-lock d.vhd" "$(names "$store")" "the store"

make_disk child parent=d
mv "$store/d.vhd" "$store/moved.vhd"
verb child 'rebase moved'
expect "$content" "$(cksum <"$mnt/disks/child/raw")" "the content after a move"
expect - "$(value "$mnt/disks/child/info" fault)" "the fault after a move"
