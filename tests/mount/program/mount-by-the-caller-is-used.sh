#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a service manager or a container engine that mounts for a daemon without rights
# could not use vhdfs. Nor could `mount -o drop_privileges`.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

enter_own_mounts "$@"
# It misses the order of a reply and the next request on the same descriptor.
! grep -q __tsan_init "$VHDFS" || skip "ThreadSanitizer knows no descriptor that it inherits"
mkdir "$mnt"

# The caller mounts, and passes the descriptor under a number of its choice.
cat >"$tmp/give.py" <<'END'
import ctypes, os, sys
number, vhdfs, store, mnt, *rest = sys.argv[1:]
judging = os.environ.get("JUDGING", "default_permissions")
os.dup2(os.open("/dev/fuse", os.O_RDWR), int(number))
words = f"fd={number},rootmode=40000,user_id=0,group_id=0,{judging}"
if ctypes.CDLL(None).mount(b"given", mnt.encode(), b"fuse.vhdfs", 0, words.encode()) != 0:
    sys.exit(77)
os.set_inheritable(int(number), True)
os.execv(vhdfs, [vhdfs, store, f"/dev/fd/{number}"] + rest)
END

# is_served WHAT: the tree answers, and the daemon ends after an unmount from outside.
is_served()
{
    daemon=$(cat "$tmp/pid") || fail "no pid file: $1"
    end_later "$daemon"
    echo 40 >"$mnt/new/d" || fail "cannot make a disk: $1"
    expect 40 "$(cat "$mnt/disks/d/size")" "size: $1"
    rmdir "$mnt/disks/d" || fail "cannot delete a disk: $1"
    expect 1 "$(grep -c " $mnt fuse" /proc/self/mounts)" "mounts: $1"
    umount "$mnt" || fail "cannot unmount: $1"
    wait_until 20 has_ended "$daemon"
    wait_until 20 [ ! -e "$tmp/pid" ]
    [ -d "$mnt" ] || fail "the mount point of another is gone: $1"
}

for number in 3 4 10 200; do
    "$python" -I -S "$tmp/give.py" "$number" "$VHDFS" "$store" "$mnt" -o "pidfile=$tmp/pid" ||
        fail "exit status $? with /dev/fd/$number"
    is_served "/dev/fd/$number"
done

# The caller allows all users but not default_permissions. Other users get no access.
chmod 755 "$tmp"
JUDGING=allow_other "$python" -I -S "$tmp/give.py" 5 "$VHDFS" "$store" "$mnt" -o "pidfile=$tmp/pid" \
    2>"$tmp/said" || fail "exit status $?: $(cat "$tmp/said")"
echo 40 >"$mnt/new/s" || fail "cannot make a disk"
if as_nobody ls "$mnt" >"$tmp/list" 2>&1; then
    fail "a stranger is let in: $(cat "$tmp/list")"
fi
rmdir "$mnt/disks/s" || fail "cannot delete a disk"
is_served "allow_other"

# After SIGKILL the mount remains, because it belongs to the caller.
"$python" -I -S "$tmp/give.py" 5 "$VHDFS" "$store" "$mnt" -o "pidfile=$tmp/pid" || fail "exit status $?"
daemon=$(cat "$tmp/pid")
end_later "$daemon"
kill -KILL "$daemon"
wait_until 20 has_ended "$daemon"
wait_until 20 [ ! -e "$tmp/pid" ]
is_mounted "$mnt" || fail "the mount of another is gone"
umount "$mnt" || fail "cannot unmount"

# refused STATUS ARGUMENT...
refused()
{
    wanted=$1
    shift
    got=0
    timeout 20 "$VHDFS" "$@" 2>"$tmp/said" 9</dev/null || got=$?
    expect "$wanted" "$got" "exit status of: vhdfs $*"
    grep -q 'no open descriptor of /dev/fuse' "$tmp/said" || fail "it says: $(cat "$tmp/said")"
}
refused 1 "$store" /dev/fd/9
refused 1 "$store" /dev/fd/77
refused 1 "$store" /dev/fd/0

[ -x /sbin/mount.fuse3 ] || exit 0
mkdir "$tmp/bin"
cp "$VHDFS" "$tmp/bin/vhdfs"
mount --bind "$tmp/bin" /usr/local/bin || exit 0
undo "umount -l /usr/local/bin"
grep -q drop_privileges /sbin/mount.fuse3 || exit 0
chmod 755 "$tmp"
mount -t fuse3 -o "drop_privileges,pidfile=$tmp/pid" "vhdfs#$store" "$mnt" ||
    fail "exit status $? of mount -o drop_privileges"
expect "0000000000000000" "$(sed -n 's/^CapEff:[[:space:]]*//p' "/proc/$(cat "$tmp/pid")/status")" \
    "rights of the daemon"
is_served drop_privileges
