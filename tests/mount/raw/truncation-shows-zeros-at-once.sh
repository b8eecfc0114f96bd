#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: after `: >raw` a program with the disk open would still see the old content. Or
# the truncation would hang because another program has the disk mapped.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d 64
cat >"$tmp/program" <<'END'
import errno, mmap, os, random, sys

raw = sys.argv[1]
size = os.stat(raw).st_size
content = random.Random(1).randbytes(4 << 20)
zeros = bytes(len(content))


def fill():
    with open(raw, "r+b") as file:
        file.write(content)


def open_trunc():
    os.close(os.open(raw, os.O_WRONLY | os.O_TRUNC))


def truncate():
    os.truncate(raw, 0)


# Truncate by path, with and without another program that has the disk open.
for flags in None, os.O_RDONLY, os.O_RDWR, os.O_RDONLY | os.O_DIRECT:
    for empty in open_trunc, truncate:
        fill()
        reader = None if flags is None else os.open(raw, flags)
        buf = mmap.mmap(-1, len(content))
        if reader is not None:
            os.preadv(reader, [buf], 0)
            assert buf[:] == content
            view = None
            if not flags & os.O_DIRECT:
                view = mmap.mmap(reader, len(content), prot=mmap.PROT_READ)
                assert view[:] == content
        empty()
        if reader is not None:
            os.preadv(reader, [buf], 0)
            assert buf[:] == zeros, (flags, empty)
            assert os.fstat(reader).st_size == size
            if view:
                assert view[:] == zeros, (flags, empty)
                view.close()
            os.close(reader)
        with open(raw, "rb") as file:
            assert file.read(len(content)) == zeros, (flags, empty)
        assert os.stat(raw).st_size == size

# The kernel cannot drop the changed pages of a mapping before it has its answer. So the truncation
# fails, and nothing is lost. Once the pages are written, it works.
fill()
writer = os.open(raw, os.O_RDWR)
view = mmap.mmap(writer, 1 << 20)
for page in 0, 5, 9:
    view[page * 4096:page * 4096 + 5] = b"dirty"
expected = bytearray(content)
expected[:1 << 20] = view[:]
try:
    truncate()
    sys.exit("pages that a mapping has changed were dropped")
except OSError as error:
    assert error.errno == errno.EBUSY, error
with open(raw, "rb") as file:
    assert file.read(len(content)) == expected
view.flush()
truncate()
with open(raw, "rb") as file:
    assert file.read(len(content)) == zeros
view[0:4] = b"mine"
view.flush()
with open(raw, "rb") as file:
    assert file.read(4) == b"mine"
END
behind timeout $((60 * patience)) "$python" -I -S "$tmp/program" "$raw"
ends_with 0 $! "the program"
expect $((64 << 20)) "$(stat -c %s "$raw")" "size of the disk"
