#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: other programs and copies would miss the bytes that a program stores in a mapping.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d 64
cat >"$tmp/program" <<'END'
import mmap, os, subprocess, sys

raw, copy = sys.argv[1:]
fd = os.open(raw, os.O_RDWR)
view = mmap.mmap(fd, 64 << 20)


def others_read(off, length, flags):
    other = os.open(raw, os.O_RDONLY | flags)
    buf = mmap.mmap(-1, length)
    assert os.preadv(other, [buf], off) == length
    os.close(other)
    return buf[:]


# Store into a hole, over content, and across two blocks.
for text, off in (b"first", 0), (b"again", 0), (b"middle", 33 << 20), (b"x" * 8192, (2 << 20) - 4096):
    view[off:off + len(text)] = text
    for flags in 0, os.O_DIRECT:
        assert others_read(off - off % 4096, 8192, flags)[off % 4096:][:len(text)] == text, off
    view.flush()
    with open(raw, "rb") as other:
        other.seek(off)
        assert other.read(len(text)) == text

# A copy that skips holes has all stores to the mapping, synced or not.
view[50 << 20:(50 << 20) + 5] = b"later"
subprocess.run(["cp", "--sparse=auto", raw, copy], check=True)
with open(copy, "rb") as file:
    copied = file.read()
assert copied == view[:]
assert copied[50 << 20:][:5] == b"later"

# The mapping shows the writes of others.
with open(raw, "r+b") as other:
    other.seek(10 << 20)
    other.write(b"theirs")
direct = os.open(raw, os.O_WRONLY)
os.pwrite(direct, b"direct", 11 << 20)
assert view[10 << 20:(10 << 20) + 6] == b"theirs"
assert view[11 << 20:(11 << 20) + 6] == b"direct"
END
"$python" -I -S "$tmp/program" "$raw" "$tmp/copy" || fail "the mapping"
stop_vhdfs
start_vhdfs
expect "later" "$(dd if="$mnt/disks/d/raw" bs=1M skip=50 count=1 status=none | head -c 5)" \
    "what was mapped, after the next mount"
