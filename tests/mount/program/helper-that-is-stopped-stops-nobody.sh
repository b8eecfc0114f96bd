#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a helper that does not run, or is killed at work, would keep the daemon alive for
# good, and with it the lock of the store.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

# A worker that is killed at work: another one does it.
start_vhdfs
find_helper
kill -STOP "$worker"
kill "$daemon"
sleep 0.5
has_ended "$daemon" && fail "it has not asked the worker"
kill -KILL "$worker"
daemon_ends

# Neither of the two runs. A second signal counts at once.
start_vhdfs
find_helper
undo "kill -KILL $watcher $worker 2>/dev/null"
kill -STOP "$watcher" "$worker"
kill "$daemon"
sleep 0.5
kill "$daemon"
wait_until 30 has_ended "$daemon"
kill -CONT "$watcher" "$worker"
wait_until 20 is_not_mounted "$mnt"
wait_until 20 [ ! -e "$tmp/pid" ]

# Neither runs when others unmount. The next vhdfs gets the store.
start_vhdfs
find_helper
undo "kill -KILL $watcher $worker 2>/dev/null"
kill -STOP "$watcher" "$worker"
umount "$mnt" || fusermount3 -u "$mnt" || fail "cannot unmount"
wait_until 30 has_ended "$daemon"
kill -CONT "$watcher" "$worker"
wait_until 20 [ ! -e "$tmp/pid" ]
start_vhdfs
stop_vhdfs

# A key of the terminal reaches all processes of its group. (The shell's own jobs ignore SIGQUIT.)
"$python" -I -S -c 'import os, signal, sys
os.setsid()
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$VHDFS" "$store" "$mnt" -f -o "pidfile=$tmp/pid" 2>>"$tmp/log" &
wait_until 20 [ -s "$tmp/pid" ]
read -r daemon <"$tmp/pid"
wait_until 20 is_ready "$daemon"
end_later "$daemon"
kill -QUIT "-$daemon"
wait_until 20 has_ended "$daemon"
wait_until 20 is_not_mounted "$mnt"
wait_until 20 [ ! -e "$tmp/pid" ]
