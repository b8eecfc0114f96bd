#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: while a slow host holds up a few dozen disks, nobody could list the mount, cancel
# a request or see a refusal. Some disks could be lost in the end.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/frozen.sh
. "$(dirname "$0")/../frozen.sh"

start_vhdfs
echo 40 >"$mnt/new/before" || fail "cannot make a disk"
answer "$mnt/new/refused" 2 >"$tmp/answer"
freeze
count=0 makers=
while [ "$count" -lt 30 ]; do
    count=$((count + 1))
    answer "$mnt/new/d$count" 40 >"$tmp/made$count" &
    makers="$makers $!"
    kill_later $!
done

all_are_known()
{
    [ "$(names "$mnt/new" | wc -w)" = 30 ]
}
wait_until 60 all_are_known
wait_until 20 runs d1

# clock: set $now, in hundredths of a second
clock()
{
    read -r now _ </proc/uptime
    now=${now%.*}${now#*.}
}

# quick STATUS COMMAND...: it ends within two seconds; $took is the longest so far, in hundredths
took=0
quick()
{
    quick_wanted=$1 quick_got=0
    shift
    clock
    quick_began=$now
    within 2 "$@" >"$tmp/said" 2>&1 || quick_got=$?
    clock
    [ $((now - quick_began)) -le "$took" ] || took=$((now - quick_began))
    expect "$quick_wanted" "$quick_got" "exit status of: $*: $(cat "$tmp/said")"
}

for i in 1 2 3; do
    quick 0 stat "$mnt/version" "$mnt/new/d30" "$mnt/tasks/d1/status" "$mnt/disks/before"
    quick 0 cat "$mnt/version" "$mnt/errors" "$mnt/tasks/d$i/status" "$mnt/new/d29" \
        "$mnt/disks/before/info"
    quick 0 ls -l "$mnt" "$mnt/new" "$mnt/tasks" "$mnt/disks" "$mnt/disks/before"
    quick 0 grep -r state "$mnt/tasks"
    quick 1 rm "$mnt/new/d$i"
    quick 1 rmdir "$mnt/tasks/d$i"
    quick 1 rmdir "$mnt/disks/d$i"
    quick 1 mv -T "$mnt/disks/before" "$mnt/disks/d$i"
    quick 2 sh -c "echo 40 >'$mnt/new/d$i'"
    quick 2 sh -c "echo 40 >'$mnt/new/.x'"
    quick 2 sh -c "echo 40 >'$mnt/new/before'"
    quick 0 touch "$mnt/new/x"
    answer "$mnt/new/y" bad >"$tmp/answer"
    expect "write EINVAL" "$(within 2 "$python" -I -S "$here/answer.py" "$mnt/new/x" bad)" "bad"
    expect "write ERANGE" "$(within 2 "$python" -I -S "$here/answer.py" "$mnt/new/x" 2)" "small"
    quick 0 rm "$mnt/new/x"
done
quick 0 rm "$mnt/new/refused"
quick 124 timeout 0.3 cat "$mnt/tasks/d30/wait"
quick 0 df "$mnt"

# Cancel a task at work and a queued one. A waiter for the queued one ends at once.
quick 0 sh -c "echo 1 >'$mnt/tasks/d1/cancel'"
queued=
for i in 30 29 28 27 26 25 24 23 22 21 20 19 18 17 16 15 14 13 12 11 10; do
    if is_in queued "d$i"; then
        queued=d$i
        break
    fi
done
if [ -n "$queued" ]; then
    quick 0 sh -c "echo 1 >'$mnt/tasks/$queued/cancel'"
    quick 0 cat "$mnt/tasks/$queued/wait"
    expect cancelled "$(cat "$tmp/said")" "the verdict on $queued"
    wait_until 2 grep -qx 'write ECANCELED' "$tmp/made${queued#d}"
fi
echo "the longest took $took hundredths of a second"

thaw
for maker in $makers; do
    ends_with 0 "$maker" "answer.py"
done
made=$(grep -lx 'done' "$tmp"/made* | wc -l)
cancelled=$(grep -lx 'write ECANCELED' "$tmp"/made* | wc -l)
expect 30 $((made + cancelled)) "those that were made or cancelled: $(sort "$tmp"/made* | uniq -c)"
[ "$made" -ge 28 ] || fail "$made of 30 were made, though 2 were cancelled"
for i in $(seq 30); do
    size='' state=''
    read -r answered <"$tmp/made$i"
    if [ "$answered" = "done" ]; then
        read -r size <"$mnt/disks/d$i/size"
        read -r state <"$mnt/tasks/d$i/state"
        expect "40 completed" "$size $state" "d$i"
    else
        [ ! -e "$mnt/disks/d$i" ] || fail "d$i is there, though it was cancelled"
        is_in cancelled "d$i" || fail "d$i is $(cat "$mnt/tasks/d$i/state")"
    fi
done
expect $((made + 1)) "$(names "$mnt/disks" | wc -w)" "disks"
expect $((made + 2)) "$(names "$store" | wc -w)" "files in the store"
expect "" "$(names "$mnt/new")" "requests at work"
