#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a line in fstab with the option "user" could not be mounted, because mount(8) then
# adds the user's name.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

enter_own_mounts "$@"
[ -x /sbin/mount.fuse ] || [ -x /sbin/mount.fuse3 ] || skip "needs mount.fuse"
mkdir "$tmp/bin" "$mnt"
cp "$VHDFS" "$tmp/bin/vhdfs"
mount --bind "$tmp/bin" /usr/local/bin || skip "cannot put vhdfs into /usr/local/bin"
undo "umount -l /usr/local/bin"

# mounts COMMAND...
mounts()
{
    within 60 "$@" || fail "exit status $? of: $*"
    is_mounted "$mnt" || fail "not mounted by: $*"
    daemon=$(cat "$tmp/pid")
    end_later "$daemon"
    echo 40 >"$mnt/new/d" || fail "cannot make a disk after: $*"
    expect "0 0" "$(stat -c '%u %g' "$mnt/disks/d/info")" "owner after: $*"
    expect 0 "$(stat -c %u "/proc/$daemon")" "who runs it after: $*"
    rmdir "$mnt/disks/d" || fail "cannot delete a disk after: $*"
    umount "$mnt" || fail "cannot unmount after: $*"
    wait_until 20 has_ended "$daemon"
    wait_until 20 [ ! -e "$tmp/pid" ]
}

for word in user users owner group nouser user=root; do
    echo "$store $mnt fuse.vhdfs noauto,$word,pidfile=$tmp/pid 0 0" >"$tmp/fstab"
    mounts mount -T "$tmp/fstab" "$mnt"
    mounts mount -t fuse.vhdfs "$store" "$mnt" -o "$word,pidfile=$tmp/pid"
done
