#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: the death of the daemon would lose earlier writes to a disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command qemu-img
cat >"$tmp/program" <<'END'
import mmap, os, random, sys

# Write in several ways, save the expected content, print a line, and wait for the FIFO.
raw, out, go, flags, synced = sys.argv[1:4] + [int(sys.argv[4]), sys.argv[5]]
size = os.stat(raw).st_size
random.seed(flags)
model = bytearray(size)
fd = os.open(raw, flags)
for _ in range(100):
    off = random.randrange(size - 50000)
    data = random.randbytes(random.randrange(1, 50000))
    assert os.pwrite(fd, data, off) == len(data)
    model[off:off + len(data)] = data
if synced == "mapped":
    view = mmap.mmap(fd, size)
    for off in range(0, size - 10000, 3 << 20):
        view[off:off + 6] = model[off:off + 6] = b"mapped"
    view.flush()
elif synced == "fsync":
    os.fsync(fd)
with open(out, "wb") as file:
    file.write(model)
print("written", flush=True)
open(go).read()
END
mkfifo "$tmp/go"
for how in "1 answered" "2 answered" "1 fsync" "2 fsync" "2 mapped"; do
    rm -rf "$store"
    start_vhdfs
    make_disk d 16
    # shellcheck disable=SC2086 # words
    behind "$python" -I -S "$tmp/program" "$raw" "$tmp/model" "$tmp/go" $how >"$tmp/written"
    writer=$!
    wait_until 30 [ -s "$tmp/written" ]
    kill_vhdfs
    kill -KILL "$writer"
    ends_with 137 "$writer" "the killed writer"
    expect "vpc" "$(qemu-img info --output=json "$store/d.vhd" | sed -n 's/.*"format": "\(.*\)".*/\1/p' |
        grep -m 1 vpc)" "the format that QEMU sees in what was left"
    start_vhdfs
    same_bytes "$tmp/model" "$mnt/disks/d/raw" "not all is there that was written: $how"
    expect "-" "$(value "$mnt/disks/d/info" fault)" "fault"
    dd if="$tmp/model" of="$mnt/disks/d/raw" bs=1M count=16 conv=notrunc status=none ||
        fail "cannot write to what was left"
    stop_vhdfs
done
