#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a copy of an image to a disk would take the disk's whole size.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d 100
dd if=/dev/zero of="$raw" bs=1M count=100 conv=notrunc,fsync status=none || fail "cannot write zeros"
expect 0 "$(allocated d)" "allocated after zeros were written"
expect 0 "$(($(stat -c %b "$raw") / 100))" "space that the content takes, in 50 KiB"
run_python "zeros through a cached file" '
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
os.pwrite(fd, bytes(1 << 20), 5 << 20)
os.fsync(fd)' "$raw"
expect 0 "$(allocated d)" "allocated after zeros were written through its pages"

# A program that knows the hole skips it. Others write zeros.
truncate -s 100M "$tmp/image"
noise 1000 1 | dd of="$tmp/image" bs=1000 seek=50000 conv=notrunc status=none
for how in auto always never; do
    cp --sparse=$how "$tmp/image" "$raw" || fail "cp --sparse=$how: exit status $?"
    same_bytes "$tmp/image" "$raw" "cp --sparse=$how"
    expect 1 "$(allocated d)" "allocated after cp --sparse=$how"
done
