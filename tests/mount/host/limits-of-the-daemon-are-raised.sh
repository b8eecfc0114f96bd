#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a few hundred open disks would use up the descriptors of the daemon. Or a host
# short of memory would wait for a daemon that waits for memory.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

# status KEY: of the daemon
status()
{
    sed -n "s/^$1:[[:space:]]*//p" "/proc/$daemon/status"
}

# has_right BIT: this shell has the capability
has_right()
{
    rights=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
    [ $((0x$rights >> $1 & 1)) = 1 ]
}

# shellcheck disable=SC3045 # every sh here knows it
hard=$(ulimit -H -n)
[ "$hard" != unlimited ] || skip "needs a limit on open files"
# shellcheck disable=SC3045
ulimit -S -n 64
start_vhdfs
expect "$hard $hard" "$(awk '/^Max open files/ {print $4, $5}' "/proc/$daemon/limits")" "limits"

grep -q __tsan_init "$VHDFS" && exit 0
is_sanitized && exit 0
if has_right 14; then # CAP_IPC_LOCK
    locked=$(status VmLck)
    [ "${locked%% *}" -gt 0 ] || fail "no page of the daemon is locked"
else
    expect "0 kB" "$(status VmLck)" "what is locked, without the right to"
fi
if has_right 24; then # CAP_SYS_RESOURCE; PF_MEMALLOC_NOIO is 0x00080000
    flags=$(sed 's/.*) //' "/proc/$daemon/stat" | cut -d ' ' -f 7)
    [ $((flags & 0x00080000)) != 0 ] || fail "the daemon's allocations may wait for writeback"
fi

# Many readers get threads and memory, whether memory is locked or not.
make_disk d
i=0
while [ "$i" -lt 40 ]; do
    cat "$raw" >/dev/null &
    i=$((i + 1))
done
wait
echo 40 >"$mnt/new/e" || fail "cannot make e"
stop_vhdfs
