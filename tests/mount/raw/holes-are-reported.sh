#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a copy of a large disk with little content would take as long as that of a full
# one.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk large 2040G
make_disk d 64
cat >"$tmp/program" <<'END'
import errno, os, sys

MB = 1 << 20


def runs(path):
    """The runs of data that SEEK_DATA and SEEK_HOLE report."""
    fd = os.open(path, os.O_RDONLY)
    found, at, end = [], 0, os.fstat(fd).st_size
    while True:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError as error:
            assert error.errno == errno.ENXIO, error
            break
        at = os.lseek(fd, start, os.SEEK_HOLE)
        assert start < at <= end, (start, at)
        found.append((start, at))
    try:
        os.lseek(fd, end, os.SEEK_HOLE)
    except OSError as error:
        assert error.errno == errno.ENXIO, error
    else:
        raise AssertionError("beyond the end")
    os.close(fd)
    return found


def holds(path, *wanted):
    """Check that each range lies in a run of data, and that little else is data."""
    found = runs(path)
    for off, length in wanted:
        assert any(start <= off and off + length <= end for start, end in found), (off, found)
    assert sum(end - start for start, end in found) <= len(wanted) * 4 * MB, found


def write(path, off, length):
    fd = os.open(path, os.O_WRONLY)
    os.pwrite(fd, b"x" * length, off)
    os.close(fd)


large, raw = sys.argv[1:]
for path, ends in (raw, 64 * MB), (large, 2040 << 30):
    assert runs(path) == [], path
    write(path, 9 * MB + 5, 10)
    holds(path, (9 * MB + 5, 10))
    write(path, ends - 1, 1)
    holds(path, (9 * MB + 5, 10), (ends - 1, 1))
    write(path, 0, 3 * MB)
    holds(path, (9 * MB + 5, 10), (ends - 1, 1), (0, 3 * MB))

# A program open read-write may have unsaved pages in a mapping, so SEEK_HOLE reports no holes.
fd = os.open(raw, os.O_RDWR)
assert runs(raw) == [(0, 64 * MB)]
os.close(fd)
# Before Linux 6.6 a file with O_DIRECT may be mapped too, and then reports no holes.
if [int(part) for part in os.uname().release.split(".")[:2]] >= [6, 6]:
    fd = os.open(raw, os.O_RDWR | os.O_DIRECT)
    holds(raw, (9 * MB + 5, 10), (64 * MB - 1, 1), (0, 3 * MB))
END
"$python" -I -S "$tmp/program" "$mnt/disks/large/raw" "$raw" || fail "data and holes"

# du and ls -s show the used space. A copy of the largest disk is quick.
[ "$(du -k "$mnt/disks/large/raw" | cut -f 1)" -lt 20000 ] || fail "du: $(du -k "$mnt/disks/large/raw")"
case $(stat -f -c %T "$tmp") in
    ext2/ext3 | tmpfs) ;; # no files of 2 TB
    *)
        within 60 cp --sparse=auto "$mnt/disks/large/raw" "$tmp/copy" || fail "cp: exit status $?"
        expect "$((2040 << 30))" "$(stat -c %s "$tmp/copy")" "size of the copy"
        ;;
esac
