#!/bin/sh
# If this failed: a writer would not learn that another program's lock on the image keeps the disk
# read-only, or the message would blame vhdfs.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
need_root
need_command setpriv
chmod 755 "$tmp"

nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'

# QEMU locks this byte of an image to keep other writers out. A file that cannot be opened is
# skipped.
cat >"$tmp/lock.py" <<'END'
import fcntl, os, struct, sys, time
held = []
for path in sys.argv[1:]:
    try:
        fd = os.open(path, os.O_RDONLY)
    except PermissionError:
        continue
    fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 201, 1, 0))  # F_OFD_SETLK
    held.append(fd)
print(len(held), flush=True)
time.sleep(600)
END
chmod 644 "$tmp/lock.py"

start_vhdfs
make_disk d 16
noise 100000 1 >"$tmp/content"
dd if="$tmp/content" of="$raw" bs=4k conv=notrunc,fsync status=none
wait_until 5 sh -c ": 1<>'$raw'"
chmod 755 "$store"
chmod 644 "$store/d.vhd"
# shellcheck disable=SC2086 # words
behind $nobody "$python" -I -S "$tmp/lock.py" "$store/d.vhd" >"$tmp/ready"
holder=$!
wait_until 20 [ -s "$tmp/ready" ]
expect "open EBUSY" "$(answer "$raw" x)" "writing to a disk whose image is locked"
tail -n 1 "$mnt/errors" | grep -q ' disks/d/raw EBUSY E_SHARING_VIOLATION .*another program .*lock' ||
    fail "errors: $(tail -n 1 "$mnt/errors")"
tail -n 1 "$mnt/errors" | grep -q 'd\.vhd' || fail "errors: $(tail -n 1 "$mnt/errors")"
cmp -n 100000 "$tmp/content" "$raw" || fail "the disk cannot be read"
kill $holder
wait_until 20 has_ended $holder
expect "done" "$(: >"$tmp/empty"; "$python" -I -S -c 'import os, sys
os.close(os.open(sys.argv[1], os.O_RDWR))
print("done")' "$raw")" "opening it once the lock has gone"
