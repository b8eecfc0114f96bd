#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program could make a disk look larger than it is, and its writes there would be
# lost without an error.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d 8
noise 9000000 1 >"$tmp/bytes"

# A write at the end fails with ENOSPC. A write across the end is short.
dd if="$tmp/bytes" of="$raw" bs=1M 2>"$tmp/said" && fail "dd past the end succeeds"
grep -q 'No space left' "$tmp/said" || fail "dd says: $(cat "$tmp/said")"
cmp -n 8388608 "$tmp/bytes" "$raw" || fail "dd has not filled the disk"
cat "$tmp/bytes" >"$raw" 2>"$tmp/said" && fail "cat past the end succeeds"
grep -q 'No space left' "$tmp/said" || fail "cat says: $(cat "$tmp/said")"
echo more 2>"$tmp/said" >>"$raw" && fail ">> succeeds"
cat >"$tmp/program" <<'END'
import errno, os, sys

raw = sys.argv[1]
size = 8 << 20
FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, FALLOC_ZERO_RANGE = 1, 2, 16


def refused(wanted, call, *arguments):
    try:
        got = call(*arguments)
    except OSError as error:
        assert error.errno == wanted, (call, arguments, error)
    else:
        raise AssertionError((call, arguments, got))


def fallocate(fd, mode, off, length):
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    if libc.fallocate(fd, mode, off, length) != 0:
        raise OSError(ctypes.get_errno(), "fallocate")


for flags in os.O_WRONLY, os.O_RDWR, os.O_RDWR | os.O_APPEND, os.O_WRONLY | os.O_SYNC:
    fd = os.open(raw, flags)
    refused(errno.ENOSPC, os.pwrite, fd, b"x", size)
    refused(errno.ENOSPC, os.pwrite, fd, b"x", size + 12345)
    if not flags & os.O_APPEND:
        assert os.pwrite(fd, b"12345678", size - 3) == 3
    refused(errno.EPERM, os.ftruncate, fd, 1)
    refused(errno.EFBIG, os.ftruncate, fd, size + 1)
    refused(errno.ENOSPC, fallocate, fd, FALLOC_ZERO_RANGE, size - 4096, 8192)
    refused(errno.EOPNOTSUPP, fallocate, fd, 0, 0, size)
    fallocate(fd, FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, size - 1, 4096)
    fallocate(fd, FALLOC_ZERO_RANGE | FALLOC_KEEP_SIZE, size + 4096, 4096)
    os.ftruncate(fd, size)
    assert os.fstat(fd).st_size == size
    os.close(fd)
# A truncation to 0, by path or handle, discards the content.
for empty in (lambda fd: os.truncate(raw, 0)), (lambda fd: os.ftruncate(fd, 0)):
    fd = os.open(raw, os.O_RDWR)
    os.pwrite(fd, b"x" * 100, 5 << 20)
    empty(fd)
    assert os.fstat(fd).st_size == size
    assert os.pread(fd, size, 0) == bytes(size)
    os.close(fd)
# A truncation over zeros changes nothing, however the zeros are stored.
fd = os.open(raw, os.O_RDWR)
os.pwrite(fd, b"x" * (3 << 20), 0)
os.pwrite(fd, bytes(2 << 20), 1 << 20)
for call in os.ftruncate, (lambda fd, size: os.truncate(raw, size)):
    call(fd, 4 << 20)
    call(fd, 1 << 20)
    refused(errno.EPERM, call, fd, (1 << 20) - 1)
    refused(errno.EPERM, call, fd, 1)
assert os.fstat(fd).st_size == size
os.close(fd)
refused(errno.EPERM, os.truncate, raw, 1)
for wrong in size + 512, 1 << 40:
    refused(errno.EFBIG, os.truncate, raw, wrong)
os.truncate(raw, size)
assert os.stat(raw).st_size == size
assert os.lseek(os.open(raw, os.O_RDONLY), 0, os.SEEK_END) == size
END
"$python" -I -S "$tmp/program" "$raw" || fail "the end of the disk"
[ "$(stat -c %s "$raw")" = 8388608 ] || fail "size $(stat -c %s "$raw")"
tail -n 1 "$mnt/errors" | grep -q 'EFBIG .* keeps its size of 8388608 bytes' ||
    fail "errors: $(tail -n 1 "$mnt/errors")"
