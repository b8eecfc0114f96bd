#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: tools that set owner, mode, times or length of their output would fail on
# new/NAME, or change its meaning.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root # to give files away
start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
echo 2 2>/dev/null >"$mnt/new/e"
cd "$mnt" || exit 1
stat -c '%n %a %u %g' errors new/d new/e tasks/d/cancel >"$tmp/before"

for file in errors new/d new/e tasks/d/cancel; do
    chmod 777 $file || fail "chmod $file"
    chown 1:1 $file || fail "chown $file"
    "$python" -I -S -c 'import os, sys
path = sys.argv[1]
for size in 0, 5, 12345:
    os.truncate(path, size)
os.utime(path)
os.utime(path, (0, 0))' $file || fail "$file, by its name"
done
for file in errors new/e new/x tasks/d/cancel; do
    touch -d 2001-01-01 $file || fail "touch $file"
    for size in 0 5 1000000; do
        truncate -s $size $file || fail "truncate $file to $size"
    done
    "$python" -I -S -c 'import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
for size in 0, 5, 12345:
    os.ftruncate(fd, size)
os.fchmod(fd, 0o600)
os.fchown(fd, 1, 1)
os.utime(fd)' $file || fail "$file, by a handle"
done
stat -c '%n %a %u %g' errors new/d new/e tasks/d/cancel >"$tmp/after"
diff "$tmp/before" "$tmp/after" >&2 || fail "something has changed"
