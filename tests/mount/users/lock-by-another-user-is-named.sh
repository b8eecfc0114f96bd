#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a writer would not learn that another program's lock on the image keeps the disk
# read-only, or the message would blame vhdfs.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
need_root
need_command setpriv
chmod 755 "$tmp"

start_vhdfs
make_disk d 16
noise 100000 1 >"$tmp/content"
dd if="$tmp/content" of="$raw" bs=4k conv=notrunc,fsync status=none
wait_until 5 sh -c ": 1<>'$raw'"
chmod 755 "$store"
chmod 644 "$store/d.vhd"
# QEMU uses this byte to keep other writers out of an image.
hold_locks 201 1 "$store/d.vhd"
expect "open EBUSY" "$(answer "$raw" x)" "writing to a disk whose image is locked"
tail -n 1 "$mnt/errors" | grep -q ' disks/d/raw EBUSY E_SHARING_VIOLATION .*another program .*lock' ||
    fail "errors: $(tail -n 1 "$mnt/errors")"
tail -n 1 "$mnt/errors" | grep -q 'd\.vhd' || fail "errors: $(tail -n 1 "$mnt/errors")"
cmp -n 100000 "$tmp/content" "$raw" || fail "the disk cannot be read"
kill "$holder"
wait_until 20 has_ended "$holder"
expect "done" "$(: >"$tmp/empty"; "$python" -I -S -c 'import os, sys
os.close(os.open(sys.argv[1], os.O_RDWR))
print("done")' "$raw")" "opening it once the lock has gone"
