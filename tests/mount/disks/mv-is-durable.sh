#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: after a power cut a renamed disk could be back under its old name, though mv had
# succeeded.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command strace
start_vhdfs
echo 40 >"$mnt/new/a" || fail "cannot make a"
strace -f -qq -y -e trace=renameat2,fsync,fdatasync,syncfs -o "$tmp/trace" -p "$daemon" \
    2>"$tmp/said" &
tracer=$!
kill_later "$tracer"

# all_are_traced: strace is attached to every thread of the daemon
all_are_traced()
{
    ! has_ended "$tracer" || skip "cannot trace: $(cat "$tmp/said")"
    ! grep -L "^TracerPid:[[:space:]]*$tracer$" "/proc/$daemon/task"/*/status | grep -q .
}

wait_until 20 all_are_traced
mv "$mnt/disks/a" "$mnt/disks/b" || fail "cannot rename"
kill -INT "$tracer"
wait_until 20 has_ended "$tracer"

# The folder is synced after the rename. Nothing else needs a sync.
sed 's/^[0-9]* *//' "$tmp/trace" | grep -A 1 '^renameat2(.*"a\.vhd".*"b\.vhd".* = 0$' |
    grep -Eq "^(fsync|fdatasync|syncfs)\([0-9]+<$store>\) += 0$" ||
    fail "the calls are: $(cat "$tmp/trace")"
