#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: rmdir or mv would take away a disk that a program uses, or still fail long after
# the program has closed the disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d
for file in raw fixed.vhd; do
    exec 3<"$mnt/disks/d/$file"
    rmdir "$mnt/disks/d" 2>"$tmp/said" && fail "rmdir with $file open"
    grep -q 'busy' "$tmp/said" || fail "rmdir says: $(cat "$tmp/said")"
    mv "$mnt/disks/d" "$mnt/disks/e" 2>"$tmp/said" && fail "mv with $file open"
    grep -q 'busy' "$tmp/said" || fail "mv says: $(cat "$tmp/said")"
    grep -q ' disks/d EBUSY E_SHARING_VIOLATION .*open' "$mnt/errors" ||
        fail "errors: $(cat "$mnt/errors")"
    exec 3<&-
    mv "$mnt/disks/d" "$mnt/disks/e" || fail "mv directly after the close of $file"
    mv "$mnt/disks/e" "$mnt/disks/d" || fail "mv back"
done

# rmdir directly after a close, many times. The same process or another one has closed the disk.
cat >"$tmp/program" <<'END'
import errno, os, sys, time

mnt = sys.argv[1]


def patiently(call, *paths):
    """vhdfs waits 0.1 s for a recent close. On a slow host that may be too short, so try again."""
    for _ in range(50):
        began = time.monotonic()
        try:
            return call(*paths)
        except OSError as error:
            assert error.errno == errno.EBUSY and time.monotonic() - began > 0.09, error
    raise AssertionError(paths)


for turn in range(60):
    with open(f"{mnt}/new/x", "w") as new:
        new.write("3")
    fd = os.open(f"{mnt}/disks/x/raw", [os.O_RDONLY, os.O_WRONLY, os.O_RDWR][turn % 3])
    if turn % 3:
        os.pwrite(fd, b"x" * 100000, 1000)
    os.close(fd)
    if turn % 2:
        patiently(os.rename, f"{mnt}/disks/x", f"{mnt}/disks/y")
        patiently(os.rmdir, f"{mnt}/disks/y")
    else:
        patiently(os.rmdir, f"{mnt}/disks/x")
END
"$python" -I -S "$tmp/program" "$mnt" || fail "rmdir or mv directly after a close"
for _ in 1 2 3 4 5 6 7 8 9 10; do
    make_disk x 3
    head -c 10 "$raw" >/dev/null || fail "cannot read x"
    echo y 1<>"$raw" || fail "cannot write x"
    rmdir "$mnt/disks/x" || fail "rmdir directly after a program's end"
done
