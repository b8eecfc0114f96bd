#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: mkfs.fat would go on after a cancel or after vhdfs, keep the mount from being
# detached, or one that is slow would delay others.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command mkfs.fat

# Its mkfs.fat waits as long as the file $tmp/slow is there, and notes its process.
mkdir -m 777 "$tmp/bin" "$tmp/pids"
cat >"$tmp/bin/mkfs.fat" <<END
#!/bin/sh
trap '' TERM INT HUP
: >"$tmp/pids/\$\$"
dd if=/dev/zero of=/proc/self/fd/3 bs=64k seek=16 count=2 conv=notrunc status=none
while [ -e "$tmp/slow" ]; do sleep 0.1; done
exec /usr/bin/env PATH=/usr/sbin:/sbin:/usr/bin:/bin mkfs.fat "\$@"
END
chmod +x "$tmp/bin/mkfs.fat"
export PATH="$tmp/bin:$PATH"

# at_work: the number of its processes
at_work()
{
    count=0
    for pid in "$tmp"/pids/*; do
        has_ended "${pid##*/}" || count=$((count + 1))
    done
    echo $count
}

are_at_work()
{
    [ "$(at_work)" = "$1" ]
}

has_begun()
{
    [ "$(cat "$mnt/tasks/$1/percent")" -gt 0 ]
}

# begin NAME...: ask for disks, whose mkfs.fat is at work then
begin()
{
    rm -f "$tmp/pids"/*
    : >"$tmp/slow"
    for name; do
        echo '512 format=fat16' >"$mnt/new/$name" || fail "refused: $(tail -n 1 "$mnt/errors")"
    done
    wait_until 20 are_at_work $#
}

start_vhdfs jobs=3
begin a b c
wait_until 20 has_begun a
within 5 sh -c "echo 40 >'$mnt/new/quick'" || fail "mkfs.fat delays other requests"

# A cancel ends its own mkfs.fat alone, within a second.
read -r from _ </proc/uptime
echo 1 >"$mnt/tasks/b/cancel" || fail "cannot cancel"
expect cancelled "$(cat "$mnt/tasks/b/wait")" "the outcome"
wait_until 5 are_at_work 2
read -r to _ </proc/uptime
[ $((${to%.*} - ${from%.*})) -le $((2 * patience)) ] || fail "a cancel took from $from to $to"
rm "$tmp/slow"
for name in a c; do
    expect completed "$(cat "$mnt/tasks/$name/wait")" "the outcome of $name"
done
expect "a c quick" "$(names "$mnt/disks")" "the disks"

# A signal ends all, and the mount is detached.
begin d e f
stop_vhdfs
wait_until 5 are_at_work 0
expect ".vhdfs-lock a.vhd c.vhd quick.vhd" "$(names "$store")" "the store"

# So does the daemon's death. The helper serves while mkfs.fat works.
start_vhdfs jobs=2
begin g h
kill_vhdfs
wait_until 5 are_at_work 0

# A kill of the helper's worker ends the work at hand alone.
start_vhdfs jobs=1
find_helper
kill -KILL "$worker"
wait_until 20 has_ended "$worker"
begin i
echo 1 >"$mnt/tasks/i/cancel" || fail "cannot cancel"
expect cancelled "$(cat "$mnt/tasks/i/wait")" "the outcome"
wait_until 5 are_at_work 0
rm "$tmp/slow"
make_long i '512 format=fat16'

# Without both processes of the helper, nobody may start mkfs.fat.
find_helper
kill -KILL "$watcher" "$worker"
wait_until 20 has_ended "$watcher"
wait_until 20 has_ended "$worker"
echo '512 format=fat16' >"$mnt/new/j" || fail "the request is refused"
expect failed "$(cat "$mnt/tasks/j/wait")" "the outcome without the helper"
grep -q 'the helper of vhdfs was killed; mount the store again' "$mnt/tasks/j/error" ||
    fail "it does not say what to do: $(cat "$mnt/tasks/j/error")"
umount "$mnt" || fusermount3 -u "$mnt" || fail "cannot unmount"
wait_until 20 has_ended "$daemon"
rm "$tmp/pid"
expect ".vhdfs-lock a.vhd c.vhd i.vhd quick.vhd" "$(names "$store")" "the store"
