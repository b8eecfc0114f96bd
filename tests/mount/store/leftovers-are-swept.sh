#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: half-made files would take space for ever after a crash, or a mount would remove
# files of others.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

mkdir "$store"
for file in .vhdfs-draft-0123456789abcdef .vhdfs-draft-fedcba9876543210; do
    head -c 100000 /dev/zero >"$store/$file"
done
for file in .hidden notes.txt d.vhd .vhdfs-note vhdfs-draft-1 .vhdfs-draft; do
    echo precious >"$store/$file"
done
start_vhdfs
expect ".hidden .vhdfs-draft .vhdfs-lock .vhdfs-note d.vhd notes.txt vhdfs-draft-1" \
    "$(names "$store")" "the store"
expect 6 "$(grep -l precious "$store"/* "$store"/.[hv]* | wc -l)" "files of others that are whole"
