#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a shutdown of the machine, or the end of a terminal, would leave a dead mount, a
# process, a pid file or unfinished files.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

for signal in TERM INT HUP; do
    start_vhdfs
    echo 40 >"$mnt/new/$signal" || fail "cannot make $signal"
    kill "-$signal" "$daemon"
    daemon_ends
    expect "" "$(ls -A "$mnt")" "what is left under the mount point"
done
expect ".vhdfs-lock HUP.vhd INT.vhd TERM.vhd" "$(names "$store")" "the store"

# In the foreground, a signal and umount both end it with an exit status.
"$VHDFS" "$store" "$mnt" -f -o "pidfile=$tmp/pid" 2>"$tmp/log" &
daemon=$!
end_later "$daemon"
wait_until 20 is_ready $daemon
expect "$daemon" "$(cat "$tmp/pid")" "the pid file"
kill $daemon
ends_with 0 $daemon "vhdfs -f after SIGTERM"
"$VHDFS" "$store" "$mnt" -f -o "pidfile=$tmp/pid" 2>"$tmp/log" &
daemon=$!
end_later "$daemon"
wait_until 20 is_ready $daemon
umount "$mnt" || fusermount3 -u "$mnt" || fail "cannot unmount"
ends_with 0 $daemon "vhdfs -f after umount"
[ ! -e "$tmp/pid" ] || fail "the pid file is still there"
