#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user would get a disk that can never be filled, because the host's files are
# limited: to 16 GB on ext2 with blocks of 1 KiB.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

need_root
need_file_system ext2
loop_mount 32 "$tmp/host" mkfs.ext2 -q -b 1024
mkdir "$tmp/host/store"

for size in 2088960 17000; do
    out=$("$VHD_CREATE" "$tmp/host/store/d.vhd" $size) && fail "$size MB: made"
    expect VM_E_FILE_TOO_LARGE_FOR_VOLUME "${out%% *}" "$size MB"
    expect "" "$(ls -A "$tmp/host/store")" "what a refusal leaves"
done
out=$("$VHD_CREATE" "$tmp/host/store/d.vhd" 3 "$tmp/host/store/e.vhd" 16000) || fail "$out"
