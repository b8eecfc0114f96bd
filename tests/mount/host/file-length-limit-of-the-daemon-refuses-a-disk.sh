#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: the limit on the length of its files would kill the daemon, or let it make a disk
# that cannot grow.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command prlimit
start_vhdfs
echo 40 >"$mnt/new/before" || fail "cannot make a disk"
prlimit --pid "$daemon" --fsize=10485760 || fail "cannot limit the daemon"
expect "write EFBIG" "$(answer "$mnt/new/d" 40)" "a disk above the limit"
expect VM_E_FILE_TOO_LARGE_FOR_VOLUME "$(sed 's/^[^ ]* //' "$mnt/tasks/d/result")" "result"
tail -n 1 "$mnt/errors" | grep -q ' new/d EFBIG VM_E_FILE_TOO_LARGE_FOR_VOLUME .' ||
    fail "errors: $(cat "$mnt/errors")"
grep -q '^the fully grown file would take 41 MB.* limit of 10 MB a file; raise it (ulimit -f' \
    "$mnt/tasks/d/error" || fail "what to do is not told: $(cat "$mnt/tasks/d/error")"
expect "done" "$(answer "$mnt/new/small" 5)" "a disk below the limit"
prlimit --pid "$daemon" --fsize=0 || fail "cannot limit the daemon"
expect "write EFBIG" "$(answer "$mnt/new/d" 3)" "a disk when nothing can be written"
expect "40 5" "$(cat "$mnt/disks/before/size" "$mnt/disks/small/size" | paste -sd ' ')" \
    "the other disks"
expect ".vhdfs-lock before.vhd small.vhd" "$(names "$store")" "the store"
