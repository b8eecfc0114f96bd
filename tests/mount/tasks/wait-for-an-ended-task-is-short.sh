#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a script that waits for a finished disk would hang, or take a failure for a
# success.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
echo 2 2>/dev/null >"$mnt/new/e"

expect completed "$(within 10 cat "$mnt/tasks/d/wait")" "wait of d"
expect failed "$(within 10 cat "$mnt/tasks/e/wait")" "wait of e"
for name in d e; do
    expect "$(stat -c %s "$mnt/tasks/$name/wait")" "$(wc -c <"$mnt/tasks/$name/wait")" \
        "size of wait of $name"
    names "$mnt/tasks/$name" | grep -qw wait || fail "wait of $name is not listed"
    expect "" "$(dd "if=$mnt/tasks/$name/wait" bs=1 skip=100 status=none)" "what is behind the end"
done
within 10 sync "$mnt/tasks/d/wait" || fail "sync of d: exit status $?"
within 10 sync -d "$mnt/tasks/d/wait" || fail "sync -d of d: exit status $?"
within 10 sync "$mnt/tasks/e/wait" 2>"$tmp/said" && fail "sync of e has not failed"
grep -q 'Numerical result out of range' "$tmp/said" || fail "sync of e says: $(cat "$tmp/said")"
if command -v busybox >/dev/null && busybox sync --help 2>&1 | grep -q FILE; then
    within 10 busybox sync "$mnt/tasks/d/wait" || fail "busybox sync of d: exit status $?"
    timeout $((10 * patience)) busybox sync "$mnt/tasks/e/wait" 2>/dev/null &&
        fail "busybox sync of e has not failed"
fi

# An fsync of other files returns at once.
for file in status state status.json; do
    within 10 sync "$mnt/tasks/e/$file" || fail "sync of $file"
done

# A wait for a removed record fails and does not hang.
"$python" -I -S -c 'import errno, os, sys
fd = os.open(sys.argv[1] + "/wait", os.O_RDONLY)
os.rmdir(sys.argv[1])
for call in lambda: os.pread(fd, 100, 0), lambda: os.fsync(fd):
    try:
        call()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ERANGE):
            continue
        sys.exit(f"FAILED: {error}")' "$mnt/tasks/e" || exit 1
