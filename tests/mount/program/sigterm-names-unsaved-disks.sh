#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a daemon whose host loses the last writes would end as if the content were safe.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/gate.sh
. "$(dirname "$0")/../gate.sh"

"$VHDFS" "$store" "$mnt" -f -o "pidfile=$tmp/pid" 2>"$tmp/log" &
daemon=$!
end_later $daemon
wait_until 20 is_ready $daemon
make_disk slow-d
lost=$raw
make_disk good
behind "$python" -I -S -c 'import mmap, os, sys, time
views = [mmap.mmap(os.open(raw, os.O_RDWR), 4096) for raw in sys.argv[1:]]
for view in views:
    view[:5] = b"dirty"
print("stored", flush=True)
time.sleep(600)' "$lost" "$raw" >"$tmp/said"
writer=$!
wait_until 20 [ -s "$tmp/said" ]
: >"$gate_dir/lose"
kill $daemon
wait_until 20 is_not_mounted "$mnt"
grep -q 'the last writes to the disk "slow-d" may be lost: Input/output error' "$tmp/log" ||
    fail "it logs: $(cat "$tmp/log")"
kill -KILL $writer
daemon_ends
