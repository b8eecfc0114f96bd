#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a copy from disk to disk would damage the target, or fill it with zeros.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk a 200
make_disk b 200
make_disk small 100
cat >"$tmp/program" <<'END'
import errno, os, random, sys

MB = 1 << 20
paths = sys.argv[1:]
a, b, small = [os.open(path, os.O_RDWR) for path in paths]


def refused(wanted, *arguments):
    try:
        got = os.copy_file_range(*arguments)
    except OSError as error:
        assert error.errno == wanted, (arguments, error)
    else:
        raise AssertionError((arguments, got))


def copy(source, target, length, source_off, target_off):
    done = 0
    while done < length:
        part = os.copy_file_range(source, target, length - done, source_off + done,
                                  target_off + done)
        assert 0 < part <= 64 * MB, part
        done += part


random.seed(3)
model = bytearray(200 * MB)
for _ in range(40):
    off = random.randrange(150 * MB)
    data = random.randbytes(random.randrange(1, 200000))
    os.pwrite(a, data, off)
    model[off:off + len(data)] = data
os.pwrite(b, b"old" * 1000000, 77 * MB)

# Copy a whole disk over other content; then random ranges, also within one disk.
copy(a, b, 200 * MB, 0, 0)
assert os.pread(b, 200 * MB, 0) == model
for _ in range(20):
    source_off, target_off = random.randrange(190 * MB), random.randrange(190 * MB)
    length = random.randrange(1, 10 * MB)
    copy(a, b, length, source_off, target_off)
    assert os.pread(b, length, target_off) == model[source_off:source_off + length]
copy(a, a, MB, 0, 160 * MB)
assert os.pread(a, MB, 160 * MB) == model[:MB]

# Copy at the end of a disk.
assert os.copy_file_range(a, small, 50 * MB, 0, 99 * MB) == MB
refused(errno.ENOSPC, a, small, 1, 0, 100 * MB)
assert os.copy_file_range(small, a, 1, 100 * MB, 0) == 0
for fd in a, b, small:
    os.close(fd)
assert os.stat(paths[2]).st_size == 100 * MB
END
"$python" -I -S "$tmp/program" "$mnt/disks/a/raw" "$mnt/disks/b/raw" "$mnt/disks/small/raw" ||
    fail "copy_file_range"

# The call that cp uses.
cp "$mnt/disks/a/raw" "$mnt/disks/b/raw" || fail "cp: exit status $?"
same_bytes "$mnt/disks/a/raw" "$mnt/disks/b/raw" "cp has made another disk"
[ "$(allocated b)" -le "$(allocated a)" ] || fail "allocated: $(allocated a), in the copy $(allocated b)"

# Copies from or to other files read and write.
cp "$mnt/disks/a/info" "$tmp/info" || fail "cp of info: exit status $?"
cp "$mnt/disks/a/fixed.vhd" "$tmp/fixed.vhd" || fail "cp of fixed.vhd: exit status $?"
head -c 3000 "$mnt/disks/a/raw" >"$tmp/part"
cp "$tmp/part" "$mnt/disks/b/raw" || fail "cp of a file: exit status $?"
cmp -n 3000 "$tmp/part" "$mnt/disks/b/raw" || fail "cp of a file has written something else"
