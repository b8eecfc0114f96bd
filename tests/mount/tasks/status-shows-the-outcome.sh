#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a script that reads the status of its request would find other keys, another order
# or another meaning than the manual gives.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
began=$(date +%s)
echo 40 >"$mnt/new/d" || fail "cannot make d"
echo 2 2>/dev/null >"$mnt/new/e"
keys="state percent result errno id operation cancelable started finished rate left description error"

for name in d e; do
    task=$mnt/tasks/$name
    expect "$keys" "$(cut -d ' ' -f 1 "$task/status" | paste -sd ' ')" "keys of $name"
    cmp "$task/status" "$mnt/new/$name" || fail "new/$name is not the status"
    for key in $keys; do
        expect "$(value "$task/status" "$key")" "$(cat "$task/$key")" "$key of $name"
        expect 1 "$(wc -l <"$task/$key")" "lines of $key of $name"
        expect 444 "$(stat -c %a "$task/$key")" "mode of $key"
    done
    for key in started finished; do
        date -d "$(cat "$task/$key")" >/dev/null || fail "$key of $name is $(cat "$task/$key")"
        [ "$(date -d "$(cat "$task/$key")" +%s)" -ge "$began" ] || fail "$key of $name is too early"
    done
    expect 755 "$(stat -c %a "$task")" "mode of tasks/$name"
    expect 444 "$(stat -c %a "$task/wait")" "mode of wait"
    expect 200 "$(stat -c %a "$task/cancel")" "mode of cancel"
    expect 644 "$(stat -c %a "$mnt/new/$name")" "mode of new/$name"
    expect create "$(cat "$task/operation")" "operation of $name"
    expect 0 "$(cat "$task/cancelable")" "cancelable of $name"
done

expect completed "$(cat "$mnt/tasks/d/state")" "state of d"
expect 100 "$(tr -d ' ' <"$mnt/tasks/d/percent")" "percent of d"
expect "0x00000000 S_OK" "$(cat "$mnt/tasks/d/result")" "result of d"
expect "- -" "$(cat "$mnt/tasks/d/errno" "$mnt/tasks/d/error" | paste -sd ' ')" \
    "errno and error of d"
expect 'Create dynamic virtual hard disk "d" (40 MB)' "$(cat "$mnt/tasks/d/description")" \
    "description of d"
expect ../../tasks/d "$(readlink "$mnt/disks/d/task")" "task of the disk"
cmp "$mnt/disks/d/task/status" "$mnt/tasks/d/status" || fail "disks/d/task is not tasks/d"

expect failed "$(cat "$mnt/tasks/e/state")" "state of e"
[ "$(cat "$mnt/tasks/e/percent")" -lt 100 ] || fail "percent of a failed task is 100"
expect "VM_E_IMAGE_SIZE_TOO_SMALL" "$(sed -n 's/^0x[0-9A-F]\{8\} //p' "$mnt/tasks/e/result")" \
    "result of e"
expect ERANGE "$(cat "$mnt/tasks/e/errno")" "errno of e"
grep -q 2 "$mnt/tasks/e/error" ||
    fail "the sentence does not tell what was asked for: $(cat "$mnt/tasks/e/error")"
[ "$(cat "$mnt/tasks/e/id")" -gt "$(cat "$mnt/tasks/d/id")" ] || fail "the ids do not grow"
expect "$(stat -c %s "$mnt/tasks/d/percent")" "$(stat -c %s "$mnt/tasks/e/percent")" \
    "width of percent"
