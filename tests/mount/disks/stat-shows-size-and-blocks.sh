#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: stat, ls and du would show a wrong size or a wrong use of space, and tools would
# choose a wrong way to copy.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
for size in 3 3145728B 3146240B 100 2040G; do
    make_disk "s$size" $size
    bytes=$(value "$mnt/disks/s$size/info" bytes)
    expect "$bytes" "$(stat -c %s "$raw")" "size of $size"
    expect "$bytes" "$(stat -c %s "$mnt/disks/s$size/size" >/dev/null && find "$raw" -printf %s)" \
        "size, as find tells it"
    expect $((bytes + 512)) "$(stat -c %s "$mnt/disks/s$size/fixed.vhd")" "size of fixed.vhd"
    [ "$(stat -c %b "$raw")" -le $((bytes / 512)) ] || fail "more blocks than a full file"
    expect 644 "$(stat -c %a "$raw")" "mode"
done
expect "$((2040 << 30))" "$(value "$mnt/disks/s2040G/info" bytes)" "bytes"

# taken: the KiB that du prints for the content
taken()
{
    du -k "$raw" | cut -f 1
}

make_disk d 100
[ "$(taken)" -lt 100 ] || fail "an empty disk takes $(taken) KiB"
noise 20971520 1 | dd of="$raw" bs=1M conv=notrunc,fsync status=none
[ "$(taken)" -ge 20480 ] || fail "20 MB take $(taken) KiB"
[ "$(taken)" -le 24000 ] || fail "20 MB take $(taken) KiB"
expect 102400 "$(du -k --apparent-size "$raw" | cut -f 1)" "apparent size"
noise 104857600 2 >"$raw"
sync "$raw"
expect $((100 << 11)) "$(stat -c %b "$raw")" "blocks of a full disk: as many as its size"
: >"$raw"
[ "$(taken)" -lt 1000 ] || fail "an emptied disk takes $(taken) KiB"

# The modification time is that of the last change, also through an open descriptor.
run_python "the time" 'import os, sys, time
raw = sys.argv[1]
fd = os.open(raw, os.O_RDWR)
before = os.fstat(fd).st_mtime_ns
deadline = time.monotonic() + 10 * int(os.environ["VHD_TEST_PATIENCE"])
while os.fstat(fd).st_mtime_ns == before:
    assert time.monotonic() < deadline
    os.pwrite(fd, b"x", 0)
assert os.stat(raw).st_mtime_ns >= before' "$raw"
