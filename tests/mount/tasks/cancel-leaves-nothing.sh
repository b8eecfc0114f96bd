#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a cancelled task would go on or leave a half-made file, or its writer would
# assume that the disk exists.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/frozen.sh
. "$(dirname "$0")/../frozen.sh"

start_vhdfs
freeze
answer "$mnt/new/d" 40 >"$tmp/answer" &
maker=$!
kill_later "$maker"
wait_until 20 runs d
make_behind other
other=$!
cat "$mnt/tasks/d/wait" >"$tmp/cat" &
cat=$!
kill_later "$cat"
"$python" -I -S -c 'import errno, os, sys
try:
    os.fsync(os.open(sys.argv[1], os.O_RDONLY))
    print("done")
except OSError as error:
    print(errno.errorcode[error.errno])' "$mnt/tasks/d/wait" >"$tmp/fsync" &
fsync=$!
kill_later "$fsync"

within 10 sh -c "echo 1 > $mnt/tasks/d/cancel" || fail "exit status $? of writing to cancel"
expect 0 "$(cat "$mnt/tasks/d/cancelable")" "cancelable afterwards"
expect 1 "$(cat "$mnt/tasks/other/cancelable")" "cancelable of another"

thaw
ends_with 0 "$maker" "the maker"
ends_with 0 "$cat" "cat"
ends_with 0 "$fsync" "fsync"
expect "write ECANCELED" "$(cat "$tmp/answer")" "the maker's answer"
expect cancelled "$(cat "$tmp/cat")" "the verdict for cat"
expect ECANCELED "$(cat "$tmp/fsync")" "fsync's answer"
expect "cancelled ECANCELED" "$(cat "$mnt/tasks/d/state" "$mnt/tasks/d/errno" | paste -sd ' ')" \
    "the record"
expect "0x80004004 E_ABORT" "$(cat "$mnt/tasks/d/result")" "result"
[ "$(cat "$mnt/tasks/d/error")" != - ] || fail "no sentence"
[ "$(cat "$mnt/tasks/d/percent")" -lt 100 ] || fail "percent is 100"
grep -q ' new/d ECANCELED E_ABORT ' "$mnt/errors" || fail "errors: $(cat "$mnt/errors")"

ends_with 0 "$other" "the other maker"
expect ".vhdfs-lock other.vhd" "$(names "$store")" "the store"
expect "other" "$(ls "$mnt/disks")" "the disks"
expect "done" "$(answer "$mnt/new/d" 40)" "making d after all"
