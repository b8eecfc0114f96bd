#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a line in fstab, or `mount -t fuse.vhdfs`, would not mount a store, or would fail
# without a reason.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

enter_own_mounts "$@"
[ -x /sbin/mount.fuse ] || [ -x /sbin/mount.fuse3 ] || skip "needs mount.fuse"
mkdir "$tmp/bin"
cp "$VHDFS" "$tmp/bin/vhdfs"
mount --bind "$tmp/bin" /usr/local/bin || skip "cannot put vhdfs into /usr/local/bin"
undo "umount /usr/local/bin"

# mounts COMMAND...
mounts()
{
    within 60 "$@" || fail "exit status $? of: $*"
    is_mounted "$mnt" || fail "not mounted by: $*"
    daemon=$(cat "$tmp/pid")
    end_later "$daemon"
    echo 40 >"$mnt/new/d" || fail "cannot make a disk after: $*"
    rmdir "$mnt/disks/d" || fail "cannot delete a disk after: $*"
    expect "$store fuse.vhdfs" "$(findmnt -n -o SOURCE,FSTYPE "$mnt" | tr -s ' ')" \
        "source and type after: $*"
    umount "$mnt" || fail "cannot unmount after: $*"
    wait_until 20 has_ended "$daemon"
}

mkdir "$mnt"
words=defaults,noatime,nosuid,nodev,noexec,nofail,_netdev,x-test
mounts mount -t fuse.vhdfs "$store" "$mnt" -o "pidfile=$tmp/pid"
mounts mount -t fuse.vhdfs "$store" "$mnt" -o "$words,history=5,pidfile=$tmp/pid"
mounts mount -t fuse "vhdfs#$store" "$mnt" -o "pidfile=$tmp/pid"
cat >"$tmp/fstab" <<END
$store $mnt fuse.vhdfs noauto,umask=022,pidfile=$tmp/pid 0 0
END
mounts mount -T "$tmp/fstab" "$mnt"
echo "vhdfs#$store $mnt fuse rw,pidfile=$tmp/pid 0 0" >"$tmp/fstab"
mounts mount -T "$tmp/fstab" "$mnt"

# refused STATUS ARGUMENT...
refused()
{
    wanted=$1
    shift
    got=0
    within 60 mount "$@" 2>"$tmp/said" || got=$?
    expect "$wanted" "$got" "exit status of mount $*: $(cat "$tmp/said")"
}

: >"$tmp/file"
refused 1 -t fuse.vhdfs "$store" "$mnt" -o bogus
refused 2 -t fuse.vhdfs "$tmp/file" "$mnt"
is_mounted "$mnt" && fail "mounted all the same"

mount -t fuse.vhdfs "$store" "$mnt" -o "ro,pidfile=$tmp/pid" || fail "exit status $? of mount -o ro"
daemon=$(cat "$tmp/pid")
end_later "$daemon"
expect "open EROFS" "$(answer "$mnt/new/d" 40)" "making a disk after mount -o ro"
refused 1 -o remount,rw "$mnt"
refused 2 -t fuse.vhdfs "$store" "$tmp/bin"
expect 1 "$(grep -c " $mnt fuse" /proc/self/mounts)" "mounts after a refused remount"
umount "$mnt" || fail "cannot unmount"
wait_until 20 has_ended "$daemon"
