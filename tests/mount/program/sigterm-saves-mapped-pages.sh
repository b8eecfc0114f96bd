#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a shutdown of the machine would lose the bytes that a program has stored in a
# mapping of a disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

cat >"$tmp/program" <<'END'
import mmap, os, sys

raw, ready, go = sys.argv[1:]
fd = os.open(raw, os.O_RDWR)
view = mmap.mmap(fd, 32 << 20)
for page in range(8192):
    view[page * 4096:page * 4096 + 5] = b"dirty"
print("stored", flush=True)
# After the mount is detached, only vhdfs can save a store to a mapping, at its end.
open(ready).read()
view[5:10] = b"later"
print("stored", flush=True)
open(go).read()
END
mkfifo "$tmp/ready" "$tmp/go"

# lines COUNT: the program has printed that many lines
lines()
{
    [ "$(wc -l <"$tmp/said")" = "$1" ]
}

for signals in TERM "INT TERM"; do
    rm -rf "$store"
    start_vhdfs
    make_disk d 40
    behind "$python" -I -S "$tmp/program" "$raw" "$tmp/ready" "$tmp/go" >"$tmp/said"
    writer=$!
    wait_until 20 lines 1
    first=${signals%% *}
    kill "-$first" "$daemon"
    wait_until 20 is_not_mounted "$mnt"
    has_ended "$daemon" && fail "it has not waited for the writer"
    : >"$tmp/ready"
    wait_until 20 lines 2
    if [ "$first" = "$signals" ]; then
        : >"$tmp/go"
        ends_with 0 "$writer" "the writer"
        daemon_ends
    else
        # A second signal ends it although the writer still runs.
        kill -TERM "$daemon"
        wait_until 20 has_ended "$daemon"
        wait_until 20 [ ! -e "$tmp/pid" ]
        kill -KILL "$writer"
        wait_until 20 has_ended "$writer"
    fi
    start_vhdfs
    expect "8192" "$(tr '\0' '\n' <"$mnt/disks/d/raw" | grep -c dirty)" "pages that were stored"
    expect "dirtylater" "$(head -c 10 "$mnt/disks/d/raw")" "what was stored after the signal"
    stop_vhdfs
done
