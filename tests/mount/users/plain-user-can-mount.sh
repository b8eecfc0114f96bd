#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: only root could mount a store, or a plain user could not unmount his own.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

enter_own_mounts "$@"
let_nobody_mount
as_nobody "$tmp/vhdfs" "$store" "$mnt" -o "pidfile=$tmp/home/pid" || fail "exit status $?"
daemon=$(cat "$tmp/home/pid")
end_later "$daemon"

as_nobody sh -c "echo 40 > '$mnt/new/d'" || fail "cannot make d"
expect 40 "$(as_nobody cat "$mnt/disks/d/size")" "size"
expect "65534 65534" "$(as_nobody stat -c '%u %g' "$mnt/disks/d/info")" "owner"
expect "65534" "$(stat -c '%u' "$store/d.vhd")" "owner of the image"

# Not even root has access.
cat "$mnt/version" >/dev/null 2>&1 && fail "root is let in"

# If the host refuses a file in the store, the user gets the reason.
chmod 555 "$store"
chown 0:0 "$store"
as_nobody sh -c "echo 40 > '$mnt/new/e'" 2>/dev/null && fail "a disk was made in a store of root"
expect EACCES "$(as_nobody cat "$mnt/tasks/e/errno")" "errno"
as_nobody grep -q '^result 0x[0-9A-F]* E_ACCESSDENIED$' "$mnt/tasks/e/status" ||
    fail "no E_ACCESSDENIED in the record"
as_nobody tail -n 1 "$mnt/errors" | grep -q ' new/e EACCES E_ACCESSDENIED .' ||
    fail "errors does not tell"
as_nobody rmdir "$mnt/disks/d" 2>/dev/null && fail "a disk of root's was deleted"
as_nobody tail -n 1 "$mnt/errors" | grep -q ' disks/d EACCES E_ACCESSDENIED .' ||
    fail "errors does not tell"
chown 65534 "$store"
chmod 755 "$store"

# The user can end it by a signal and by an unmount.
as_nobody kill "$daemon"
wait_until 20 has_ended "$daemon"
is_mounted "$mnt" && fail "it is still mounted after SIGTERM"
[ ! -e "$tmp/home/pid" ] || fail "the pid file is still there"
as_nobody "$tmp/vhdfs" "$store" "$mnt" -o "pidfile=$tmp/home/pid" ||
    fail "exit status $? of the second mount"
daemon=$(cat "$tmp/home/pid")
end_later "$daemon"
as_nobody fusermount3 -u "$mnt" || fail "fusermount3 -u: exit status $?"
wait_until 20 has_ended "$daemon"

# The user may not use this store, nor give this option.
mkdir "$tmp/roots"
got=0
as_nobody "$tmp/vhdfs" "$tmp/roots" "$mnt" 2>"$tmp/said" || got=$?
expect 2 "$got" "exit status with a store of root: $(cat "$tmp/said")"
if ! grep -q '^user_allow_other' /etc/fuse.conf 2>/dev/null; then
    got=0
    as_nobody "$tmp/vhdfs" "$store" "$mnt" -o allow_other 2>"$tmp/said" || got=$?
    expect 32 "$got" "exit status of -o allow_other"
    grep -q user_allow_other "$tmp/said" ||
        fail "it does not tell of user_allow_other: $(cat "$tmp/said")"
fi
