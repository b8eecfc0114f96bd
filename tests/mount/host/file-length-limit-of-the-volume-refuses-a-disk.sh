#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: vhdfs would make a disk that cannot grow to its size, and its user would learn
# that years later.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

loop_mount 32 "$tmp/host" mkfs.ext2 -q -b 1024 -m 0
store=$tmp/host/store
start_vhdfs
expect "write EFBIG" "$(answer "$mnt/new/d" 2088960)" "the largest disk"
expect "failed EFBIG" "$(cat "$mnt/tasks/d/state" "$mnt/tasks/d/errno" | paste -sd ' ')" \
    "the record"
expect VM_E_FILE_TOO_LARGE_FOR_VOLUME "$(sed 's/^[^ ]* //' "$mnt/tasks/d/result")" "result"
tail -n 1 "$mnt/errors" | grep -q ' new/d EFBIG VM_E_FILE_TOO_LARGE_FOR_VOLUME .' ||
    fail "errors: $(cat "$mnt/errors")"
expect "write EFBIG" "$(answer "$mnt/new/d" 20G)" "a disk that does not fit"
expect "" "$(ls "$store")" "the store"
expect "done" "$(answer "$mnt/new/d" 4096)" "a disk that fits"
