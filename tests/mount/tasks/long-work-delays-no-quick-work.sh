#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: the writer of a request for long work would wait for all of it, quick work would
# wait behind it, or more than jobs= of such tasks would work at once.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/gate.sh
. "$(dirname "$0")/../gate.sh"

# accept_long NAME: the write returns once the work is accepted
accept_long()
{
    within 10 sh -c "echo '16 type=fixed' >'$mnt/new/$1'" || fail "$1: exit status $?"
}

start_vhdfs jobs=2
shut_gate reserve
for name in a b c d e; do
    accept_long $name
done
wait_until 20 is_in running a
wait_until 20 is_in running b
for name in c d e; do
    is_in queued $name || fail "the state of $name is $(cat "$mnt/tasks/$name/state")"
    expect 1 "$(cat "$mnt/tasks/$name/cancelable")" "cancelable of $name"
    expect - "$(cat "$mnt/tasks/$name/started")" "started of $name"
done
expect "0x8000000A E_PENDING" "$(cat "$mnt/tasks/c/result")" "result of a queued task"
expect "a b c d e" "$(names "$mnt/new")" "what is at work"
expect "" "$(names "$mnt/disks")" "disks before the end"
within 10 sh -c "echo 40 >'$mnt/new/quick'" || fail "quick work waits behind long work"
expect "write EBUSY" "$(answer "$mnt/new/c" 40 | sed 's/^open/write/')" "a second request of one name"

# A queued task ends at once. One at work stops as soon as the host answers.
within 10 sh -c "echo 1 >'$mnt/tasks/d/cancel'" || fail "cannot cancel a queued task"
is_in cancelled d || fail "a cancelled task is $(cat "$mnt/tasks/d/state")"
within 10 sh -c "echo 1 >'$mnt/tasks/a/cancel'" || fail "cannot cancel a task at work"
open_gate
for name in a d; do
    expect cancelled "$(cat "$mnt/tasks/$name/wait")" "the outcome of $name"
done
for name in b c e; do
    expect completed "$(cat "$mnt/tasks/$name/wait")" "the outcome of $name"
    expect 100 "$(tr -d ' ' <"$mnt/tasks/$name/percent")" "percent of $name"
done
expect "b c e quick" "$(names "$mnt/disks")" "disks"

# While a disk is copied, programs can read it, but not change or delete it.
shut_gate reserve
within 10 sh -c "echo 'from=quick type=fixed' >'$mnt/new/copy'" || fail "cannot copy"
wait_until 20 is_in running copy
head -c 1 "$mnt/disks/quick/raw" >/dev/null || fail "the source cannot be read"
sh -c ": 1<>'$mnt/disks/quick/raw'" 2>/dev/null && fail "the source can be written to"
rmdir "$mnt/disks/quick" 2>/dev/null && fail "the source can be deleted"
echo 1 >"$mnt/tasks/copy/cancel"
open_gate
expect cancelled "$(cat "$mnt/tasks/copy/wait")" "the outcome of the copy"
sh -c ": 1<>'$mnt/disks/quick/raw'" || fail "the source cannot be written to after the copy"

# A source that another program changes meanwhile gives no disk, whatever it is changed to.
for change in 'truncate -s 1M' 'touch' 'rm'; do
    cp "$store/b.vhd" "$store/source.vhd"
    shut_gate reserve
    within 10 sh -c "echo 'from=source type=fixed' >'$mnt/new/copy'" || fail "cannot copy"
    wait_until 20 is_in running copy
    $change "$store/source.vhd"
    open_gate
    expect failed "$(cat "$mnt/tasks/copy/wait")" "the outcome after: $change"
    grep -q 'another program has changed the disk "source"' "$mnt/tasks/copy/error" ||
        fail "$change: $(cat "$mnt/tasks/copy/error")"
    rm -f "$store/source.vhd"
done

# Where the host cannot reserve space, zeros are written, and a cancel leaves nothing.
: >"$gate_dir/no-reserve"
accept_long f
expect completed "$(cat "$mnt/tasks/f/wait")" "the outcome without fallocate"
expect $((16 * 1048576 + 512)) "$(stat -c %s "$store/f.vhd")" "length of the image"
[ "$(($(stat -c %b "$store/f.vhd") * 512))" -ge $((16 << 20)) ] || fail "it does not own its space"
cmp -n $((16 << 20)) "$mnt/disks/f/raw" /dev/zero || fail "it holds other bytes than zeros"
echo '1024 type=fixed' >"$mnt/new/g" || fail "cannot make g"
wait_until 20 is_in running g
last=-1
moves=0
while [ $moves -lt 3 ] && is_in running g; do
    percent=$(tr -d ' ' <"$mnt/tasks/g/percent")
    [ "$percent" -ge "$last" ] || fail "percent goes back from $last to $percent"
    [ "$percent" = "$last" ] || moves=$((moves + 1))
    last=$percent
done
is_in running g || fail "it has ended: $(cat "$mnt/tasks/g/status")"
within 10 sh -c "echo 1 >'$mnt/tasks/g/cancel'" || fail "cannot cancel"
expect cancelled "$(cat "$mnt/tasks/g/wait")" "the outcome of a cancelled task"

# The end of vhdfs ends all tasks and leaves nothing of them.
rm "$gate_dir/no-reserve"
shut_gate reserve
for name in h i j; do
    accept_long $name
done
kill "$daemon"
wait_until 20 is_not_mounted "$mnt" # the tasks are cancelled before
open_gate
daemon_ends
expect ".gate .vhdfs-lock b.vhd c.vhd e.vhd f.vhd quick.vhd" "$(names "$store")" "the store"
