#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program that opens a disk after a failed sync would read lost data from the
# kernel's pages, and build on it.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/gate.sh
. "$(dirname "$0")/../gate.sh"

need_command qemu-img
start_vhdfs
make_disk d 16
run_python "the sync is to fail" '
import os, sys
raw, lose = sys.argv[1:]
fd = os.open(raw, os.O_RDWR)
os.pwrite(fd, b"old data" * 512, 0)
os.pwrite(fd, b"old data" * 512, 8 << 20)
os.fsync(fd)
open(lose, "w").close()
try:
    # vhdfs syncs by itself too, so a write may be refused already.
    os.pwrite(fd, b"LOST IT!" * 512, 0)
    os.pwrite(fd, b"LOST IT!" * 512, 12 << 20)
    os.fsync(fd)
except OSError:
    pass
else:
    raise AssertionError("it succeeds")
try:
    os.close(fd)
except OSError:
    pass # a close may report the failure again
os.remove(lose)
' "$raw" "$gate_dir/lose"
can_be_written()
{
    (: 1<>"$raw") 2>/dev/null
}
wait_until 20 can_be_written
cat "$raw" >"$tmp/is"
dd if="$raw" of="$tmp/direct" bs=1M iflag=direct status=none
qemu-img convert -U -f vpc -O raw "$store/d.vhd" "$tmp/image" || fail "qemu-img convert"
same_bytes "$tmp/direct" "$tmp/is" "the kernel's pages are not the disk"
cmp -n $((16 << 20)) "$tmp/image" "$tmp/is" || fail "the disk reads as the image does not"
expect "old data" "$(dd if="$raw" bs=8 count=1 status=none)" "what was synced before"

# After the close the disk works again.
noise 3000000 1 >"$tmp/bytes"
dd if="$tmp/bytes" of="$raw" bs=64k conv=notrunc,fsync status=none || fail "cannot write again"
cmp -n 3000000 "$tmp/bytes" "$raw" || fail "what is written afterwards does not arrive"
