#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a script that unmounts a store and mounts it again would sometimes fail, because
# the first daemon ends after umount returns.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

enter_own_mounts "$@"
# shellcheck source=tests/mount/frozen.sh
. "$(dirname "$0")/../frozen.sh"

# vhdfs waits five seconds for the earlier daemon. A leak check at its end would take most of them.
export ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0"
frozen=$store
store=$tmp/store

# rounds COUNT UMOUNT COMMAND...: mount it, unmount it and mount it again, that many times.
rounds()
{
    rounds_count=$1 rounds_umount=$2
    shift 2
    while [ "$rounds_count" -gt 0 ]; do
        "$@" || fail "exit status $? of: $*"
        $rounds_umount "$mnt" || fail "$rounds_umount: exit status $?"
        rounds_count=$((rounds_count - 1))
    done
    wait_until 20 [ ! -e "$tmp/pid" ]
}

rounds 40 umount "$VHDFS" "$store" "$mnt" -o "pidfile=$tmp/pid"
for options in ro rw ro rw; do
    rounds 3 umount "$VHDFS" "$store" "$mnt" -o "$options,pidfile=$tmp/pid"
done

# The old daemon does not remove the pid file of the new one.
for i in 1 2 3 4 5 6 7 8; do
    "$VHDFS" "$store" "$mnt" -o "pidfile=$tmp/pid" || fail "exit status $? of round $i"
    expect "$(cut -d ' ' -f 1 "$store/.vhdfs-lock")" "$(cat "$tmp/pid")" "the pid file"
    umount "$mnt" || fail "cannot unmount"
done
wait_until 20 [ ! -e "$tmp/pid" ]

# The old daemon closes a written disk while the host is frozen.
store=$frozen
start_vhdfs
make_disk d
first=$daemon
exec 3<>"$raw"
echo data >&3
freeze
exec 3>&-
umount "$mnt" || fail "cannot unmount"
behind "$VHDFS" "$store" "$mnt" -o "pidfile=$tmp/pid"
second=$!
sleep 0.3
has_ended "$second" && fail "it has not waited for the first"
thaw
ends_with 0 "$second" "the second vhdfs"
has_ended "$first" || fail "the first is there still"
expect data "$(head -c 4 "$mnt/disks/d/raw")" "the disk"
daemon=$(cat "$tmp/pid")
end_later "$daemon"
umount "$mnt" || fail "cannot unmount"
wait_until 20 has_ended "$daemon"

# A plain user unmounts by fusermount3.
let_nobody_mount
rounds 15 "as_nobody fusermount3 -u" as_nobody "$tmp/vhdfs" "$store" "$mnt"
