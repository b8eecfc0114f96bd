#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: after a crash while the host stood still, waiting programs would hang for ever, or
# a process, a mount or half a disk would stay.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/frozen.sh
. "$(dirname "$0")/../frozen.sh"

start_vhdfs
helper=$(children_of "$daemon")
echo 40 >"$mnt/new/a" || fail "cannot make a"
freeze
make_behind d
maker=$!
behind cat "$mnt/tasks/d/wait" 2>/dev/null
cat=$!
behind sync "$mnt/tasks/d/wait" 2>/dev/null
sync=$!
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    behind sh -c "echo 40 >'$mnt/new/q$i'" 2>/dev/null
    eval "queued$i=$!"
    wait_until 20 test -e "$mnt/tasks/q$i"
done
kill -KILL "$daemon"

# No waiter sees an unfinished task as done.
for pid in $maker $cat $sync; do
    if has_ended "$pid"; then
        wait "$pid" && fail "one learnt that all is well"
    fi
done
thaw
wait_until 20 has_ended "$daemon"
for pid in $maker $cat $sync; do
    wait_until 20 has_ended "$pid"
    wait "$pid" && fail "one learnt that all is well"
done
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    eval "pid=\$queued$i"
    # shellcheck disable=SC2154 # set by eval
    wait_until 20 has_ended "$pid"
    wait "$pid" && fail "the maker of q$i learnt that all is well"
done
wait_until 20 has_ended "$helper"
wait_until 20 is_not_mounted "$mnt"
wait_until 20 [ ! -e "$tmp/pid" ]
daemon=

start_vhdfs
names "$mnt/disks" | grep -qw a || fail "a is gone"
for disk in "$mnt"/disks/*; do
    expect "40 -" "$(cat "$disk/size") $(value "$disk/info" fault)" "${disk##*/}"
done
expect "" "$(find "$store" -mindepth 1 ! -name .vhdfs-lock ! -name '[adq]*.vhd')" "leftovers"
echo 40 >"$mnt/new/e" || fail "cannot make e"
