#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: on a USB stick or a memory card, a user could not make a disk, because vfat has
# neither hard links nor nameless files. Or the disk could never be filled, because files there are
# limited to 4 GiB.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

need_root
need_file_system vfat
loop_mount 64 "$tmp/stick" mkfs.vfat
mkdir "$tmp/stick/store"

out=$("$VHD_CREATE" "$tmp/stick/store/d.vhd" 4096) && fail "4096 MB: made"
expect VM_E_FILE_TOO_LARGE_FOR_VOLUME "${out%% *}" "4096 MB"
expect "" "$(ls -A "$tmp/stick/store")" "what a refusal leaves"
expect S_OK "$("$VHD_CREATE" "$tmp/stick/store/d.vhd" 4000)" "4000 MB"
expect d.vhd "$(ls -A "$tmp/stick/store")" "what a disk leaves"
before=$(cksum <"$tmp/stick/store/d.vhd")
out=$("$VHD_CREATE" "$tmp/stick/store/d.vhd" 4000) && fail "made a second time"
expect E_ALREADY_EXISTS "${out%% *}" "the same name again"
expect "$before" "$(cksum <"$tmp/stick/store/d.vhd")" "the first disk"
