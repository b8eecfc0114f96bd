#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a store that fills up would damage disks, or programs would rely on writes that
# are lost.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command qemu-img
loop_mount 32 "$tmp/host" mkfs.ext4 -q -m 0
store=$tmp/host/store
start_vhdfs
make_disk d 400
cat >"$tmp/program" <<'END'
import errno, os, random, sys

# Fill the disk until the host is full, and print the number of written MB.
raw, flags = sys.argv[1], int(sys.argv[2])
rng = random.Random(9)
fd = os.open(raw, flags)
done = 0
while done < 300 << 20:
    try:
        done += os.pwrite(fd, rng.randbytes(1 << 20), done)
    except OSError as error:
        assert error.errno == errno.ENOSPC, error
        break
print(done >> 20)
try:
    os.fsync(fd)
except OSError as error:
    sys.exit(f"fsync: {error}")
END
for flags in 1 2; do
    written=$("$python" -I -S "$tmp/program" "$raw" $flags) || fail "the disk on a full host"
    [ "$written" -lt 300 ] || fail "the host is never full"
    [ "$written" -ge 15 ] || fail "only $written MB went onto a host of 32"
    "$python" -I -S -c 'import random, sys
rng = random.Random(9)
with open(sys.argv[1], "rb") as raw:
    for _ in range(int(sys.argv[2])):
        assert raw.read(1 << 20) == rng.randbytes(1 << 20)' "$raw" "$written" ||
        fail "what was written before the host was full"
    expect "-" "$(value "$mnt/disks/d/info" fault)" "fault"
    qemu-img info -U "$store/d.vhd" >/dev/null || fail "QEMU does not know it any more"

    # Old content can be overwritten, or discarded to free space for new content.
    noise 1048576 over | dd of="$raw" bs=1M conv=notrunc status=none ||
        fail "cannot overwrite: $(tail -n 1 "$mnt/errors")"
    : >"$raw" || fail "cannot discard on a full host"
    sync "$raw"
    noise 5000000 again >"$tmp/again"
    dd if="$tmp/again" of="$raw" bs=1M seek=300 conv=notrunc,fsync status=none ||
        fail "cannot write once there is space"
    cmp -i 0:$((300 << 20)) -n 5000000 "$tmp/again" "$raw" || fail "another content"
    : >"$raw"
done

# The same through a mapping: msync fails.
run_python "a mapping on a full host" 'import errno, mmap, os, random, sys
fd = os.open(sys.argv[1], os.O_RDWR)
view = mmap.mmap(fd, 100 << 20)
step = 4 << 20
noise = random.randbytes(step)
for off in range(0, 100 << 20, step):
    view[off:off + step] = noise
try:
    view.flush()
    os.fsync(fd)
except OSError as error:
    assert error.errno in (errno.ENOSPC, errno.EIO), error
else:
    raise AssertionError("no failure")' "$raw"
# Up to Linux 6.12, msync returns at the first failure while other pages are still being written.
# The next fsync reports their failures.
wait_until 20 sync "$raw" 2>/dev/null
: >"$raw"
expect "-" "$(value "$mnt/disks/d/info" fault)" "fault after the mapping"
dd if="$tmp/again" of="$raw" bs=1M conv=notrunc,fsync status=none || fail "cannot write after that"
cmp -n 5000000 "$tmp/again" "$raw" || fail "another content after that"
