#!/bin/sh
# If this failed: a daemon that cannot open its own disks, for example as another user, would end as
# if their content were safe.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root
id nobody >/dev/null 2>&1 || skip "needs a user nobody"
chmod 755 "$tmp"
cp "$VHDFS" "$tmp/vhdfs"
mkdir "$tmp/home"
chown nobody "$tmp/home"
store=$tmp/home/store
"$tmp/vhdfs" "$store" "$mnt" -f -o "user=nobody,pidfile=$tmp/pid" 2>"$tmp/log" &
daemon=$!
end_later $daemon
wait_until 20 is_ready $daemon
make_disk d
exec 3<>"$raw"
kill $daemon
wait_until 20 is_not_mounted "$mnt"
wait_until 20 grep -q 'the last writes to the disk "d" may be lost: Permission denied' "$tmp/log"
exec 3>&-
daemon_ends
