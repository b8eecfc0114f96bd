#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a shutdown would leave half-made files in the store, or hang on a disk at work.
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
cat "$mnt/tasks/d/wait" >"$tmp/cat" &
cat=$!
kill_later "$cat"
wait_until 20 grep -Eq 'fuse|request_wait' "/proc/$cat/wchan" "/proc/$cat/stack"

kill "$daemon"
wait_until 20 is_not_mounted "$mnt"
thaw
ends_with 0 "$maker" "the maker"
ends_with 0 "$cat" "who waits"
expect "write ECANCELED" "$(cat "$tmp/answer")" "the maker's answer"
expect cancelled "$(cat "$tmp/cat")" "the verdict for the waiter"
daemon_ends
expect ".vhdfs-lock" "$(ls -A "$store")" "the store"
