#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a line of fstab could not be mounted with options of any file system, names of
# users, or a path that begins with a hyphen.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

words=defaults,noauto,nofail,_netdev,x-systemd.automount,comment=x,nouser,relatime,auto_unmount
start_vhdfs "$words" rw nosuid nodev noexec noatime async dirsync
expect 1 "$(grep -c " $mnt fuse.vhdfs rw,nosuid,nodev,noexec,noatime,dirsync\|\
 $mnt fuse.vhdfs rw,dirsync,nosuid,nodev,noexec,noatime" /proc/self/mounts)" "what is mounted"
stop_vhdfs

user=daemon
if [ "$(id -u)" = 0 ] && id "$user" >/dev/null 2>&1; then
    start_vhdfs "uid=$user" "gid=$user"
    expect "$user $user" "$(stat -c '%U %G' "$mnt/version")" "owner of the files"
    stop_vhdfs
fi

cd "$tmp" || exit
"$VHDFS" -o "pidfile=$tmp/pid" -- -store -mnt || fail "exit status $? with --"
daemon=$(cat "$tmp/pid")
undo "end_daemon $daemon '$tmp/-mnt' $(birth "$daemon")"
[ -e ./-mnt/version ] || fail "it is not mounted on -mnt"
