#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: databases and virtual machines, which write past the page cache or synchronously,
# would lose data.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d 64
cat >"$tmp/program" <<'END'
import errno, fcntl, mmap, os, random, sys

raw = sys.argv[1]
size = os.stat(raw).st_size
model = bytearray(size)
random.seed(5)
buf = mmap.mmap(-1, 1 << 20)


def write(fd, off, length):
    buf[:length] = random.randbytes(length)
    assert os.pwritev(fd, [memoryview(buf)[:length]], off) == length
    model[off:off + length] = buf[:length]


for flags in (os.O_RDWR | os.O_DIRECT, os.O_WRONLY | os.O_DIRECT, os.O_RDWR | os.O_SYNC,
              os.O_WRONLY | os.O_DSYNC, os.O_RDWR, os.O_WRONLY):
    fd = os.open(raw, flags)
    for _ in range(20):
        write(fd, random.randrange(size >> 12) << 12, 4096)
        write(fd, random.randrange(size >> 9) << 9, 512)
        write(fd, random.randrange(63) << 20, 1 << 20)
        write(fd, random.randrange(size - 1000), random.randrange(1, 1000))  # unaligned
    if flags == os.O_RDWR | os.O_DIRECT:
        for beyond in size, size + 4096:
            assert os.preadv(fd, [buf], beyond) == 0
        # Some kernels refuse to map such a file. A mapping must show the present content.
        try:
            with mmap.mmap(fd, 1 << 20) as view:
                assert view[:] == model[:1 << 20], "a mapping shows another content"
        except OSError as error:
            assert error.errno == errno.ENODEV, error
    # A program may change the flag of an open file.
    fcntl.fcntl(fd, fcntl.F_SETFL, os.O_DIRECT)
    write(fd, 8192, 4096)
    fcntl.fcntl(fd, fcntl.F_SETFL, 0)
    write(fd, 4096, 4096)
    os.close(fd)
    for reader in os.open(raw, os.O_RDONLY), os.open(raw, os.O_RDONLY | os.O_DIRECT):
        for off in range(0, size, 1 << 20):
            assert os.preadv(reader, [buf], off) == 1 << 20
            assert buf[:] == model[off:off + (1 << 20)], (flags, off)
        os.close(reader)
END
"$python" -I -S "$tmp/program" "$raw" || fail "direct and synchronous writes"

# A synchronous write is on the medium before its answer.
need_command strace
cat >"$tmp/one" <<'END'
import mmap, os, sys

flags = 0
for name in sys.argv[3:]:
    flags |= getattr(os, name)
fd = os.open(sys.argv[1], flags)
os.pwritev(fd, [mmap.mmap(-1, 4096)], 5 << 20)
print("written", flush=True)
open(sys.argv[2]).read()
END
traces()
{
    has_ended "$tracer" || ! grep -q '^TracerPid:[[:space:]]*0$' "/proc/$daemon"/task/*/status
}
mkfifo "$tmp/go"
for flags in "O_WRONLY O_SYNC" "O_WRONLY O_DSYNC" "O_RDWR O_SYNC" "O_RDWR O_DIRECT O_DSYNC"; do
    strace -qq -f -e trace=fdatasync,fsync -o "$tmp/trace" -p "$daemon" 2>"$tmp/said" &
    tracer=$!
    kill_later $tracer
    wait_until 10 traces
    has_ended $tracer && skip "cannot trace: $(cat "$tmp/said")"
    # shellcheck disable=SC2086 # words
    behind "$python" -I -S "$tmp/one" "$raw" "$tmp/go" $flags >"$tmp/written"
    writer=$!
    wait_until 10 [ -s "$tmp/written" ]
    kill -INT $tracer
    wait_until 10 has_ended $tracer
    grep -q 'sync(.*= 0' "$tmp/trace" || fail "$flags: nothing was synced"
    : >"$tmp/go"
    ends_with 0 $writer "the writer with $flags"
done
