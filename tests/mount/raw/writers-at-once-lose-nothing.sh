#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: programs that write to one disk at the same time would undo each other's work.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d 64
cat >"$tmp/program" <<'END'
import marshal, os, random, sys

# Each writer has every eighth piece of 3000 bytes, so all write to each block and share pages.
raw, out, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
PIECE, ALL = 3000, 8
rng = random.Random(number)
flags = [os.O_RDWR, os.O_WRONLY, os.O_RDWR | os.O_SYNC, os.O_WRONLY | os.O_DSYNC][number % 4]
fd = os.open(raw, flags)
pieces = {}
for turn in range(600):
    piece = rng.randrange(2500) * ALL + number
    pieces[piece] = rng.randbytes(PIECE) if rng.random() < 0.8 else bytes(PIECE)
    assert os.pwrite(fd, pieces[piece], piece * PIECE) == PIECE
    if turn % 100 == 50:
        os.fsync(fd)
    if turn % 200 == 150:
        os.close(fd)
        fd = os.open(raw, flags)
os.close(fd)
with open(out, "wb") as file:
    marshal.dump(pieces, file)
END
cat >"$tmp/check" <<'END'
import marshal, sys

PIECE, ALL = 3000, 20000
written = {}
for own in sys.argv[2:]:
    with open(own, "rb") as file:
        written.update(marshal.load(file))
assert len(written) > 3000
with open(sys.argv[1], "rb") as raw:
    for piece in range(ALL):
        assert raw.read(PIECE) == written.get(piece, bytes(PIECE)), piece
END
writers=
for number in 0 1 2 3 4 5 6 7; do
    behind "$python" -I -S "$tmp/program" "$raw" "$tmp/own$number" $number
    writers="$writers $!"
done
for writer in $writers; do
    wait_until 100 has_ended "$writer"
    ends_with 0 "$writer" "a writer"
done
"$python" -I -S "$tmp/check" "$raw" "$tmp"/own? || fail "not all is there that was written"
stop_vhdfs
start_vhdfs
"$python" -I -S "$tmp/check" "$raw" "$tmp"/own? || fail "not all is there after the next mount"
