#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: in a container, or on a host without FUSE, the user would not learn which part is
# missing.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

enter_own_mounts "$@"
need_command setpriv
chmod 755 "$tmp"
cp "$VHDFS" "$tmp/vhdfs"
mkdir "$tmp/home"
chown 65534:65534 "$tmp/home"
store=$tmp/home/store
mnt=$tmp/home/mnt

# refused WORDS COMMAND...: the command fails for a user without rights, with these words
refused()
{
    words=$1
    shift
    got=0
    as_nobody timeout 20 "$@" 2>"$tmp/said" || got=$?
    expect 32 "$got" "exit status where: $words: $(cat "$tmp/said")"
    grep '^vhdfs: ' "$tmp/said" | grep -qF "$words" || fail "it does not say: $words: $(cat "$tmp/said")"
    [ ! -e "$mnt" ] || fail "the mount point that it made is left"
}

mknod -m 600 "$tmp/fuse" c 10 229 || skip "cannot make a device"
mount --bind "$tmp/fuse" /dev/fuse || skip "cannot mount over /dev/fuse"
refused "not permitted to open /dev/fuse" "$tmp/vhdfs" "$store" "$mnt"
grep -q -e '--device /dev/fuse' "$tmp/said" || fail "it does not think of containers"
chmod 666 "$tmp/fuse"

if as_nobody sh -c 'exec 3<>/dev/fuse' 2>/dev/null; then
    if ! grep -q '^user_allow_other' /etc/fuse.conf 2>/dev/null; then
        refused user_allow_other "$tmp/vhdfs" "$store" "$mnt" -o allow_other
    fi
    : >"$tmp/no-program"
    program=$(command -v fusermount3) || skip "needs fusermount3"
    mount --bind "$tmp/no-program" "$program" || skip "cannot mount over $program"
    refused "package fuse3" env PATH=/nowhere "$tmp/vhdfs" "$store" "$mnt"
    umount "$program"
fi

rm -rf "$store" "$mnt"
mkdir "$tmp/dev"
mount -t tmpfs none "$tmp/dev" || skip "cannot mount a tmpfs"
touch "$tmp/dev/null"
mount --bind /dev/null "$tmp/dev/null" || skip "cannot mount over a file"
mount --move "$tmp/dev" /dev 2>/dev/null || mount --rbind "$tmp/dev" /dev || skip "cannot hide /dev"
got=0
timeout 20 "$VHDFS" "$store" "$mnt" 2>"$tmp/said" || got=$?
expect 32 "$got" "exit status without /dev/fuse: $(cat "$tmp/said")"
for words in '/dev/fuse is missing' 'modprobe fuse' '--device /dev/fuse' '--cap-add SYS_ADMIN'; do
    grep '^vhdfs: ' "$tmp/said" | grep -qF -e "$words" ||
        fail "it does not say: $words: $(cat "$tmp/said")"
done
[ ! -e "$mnt" ] || fail "the mount point was made"
