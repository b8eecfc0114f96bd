#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user who may not read the parent of a disk could find out by truncate(2) where
# its data ends, or discard the content of the disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root
need_command setpriv
chmod 755 "$tmp"
start_vhdfs allow_other
make_disk base 16
noise 5000000 base | dd of="$raw" bs=1M conv=notrunc iflag=fullblock status=none
make_disk child parent=base
chmod 600 "$mnt/disks/base/raw"
chmod 666 "$mnt/disks/child/raw"
noise 5000000 base >"$tmp/content"

# tries: print the errno of each truncation by path, as a user without rights on the parent
tries()
{
    setpriv --reuid=65534 --regid=65534 --clear-groups "$python" -I -S -c '
import errno, os, sys
for size in 0, 4096, 5000000, 6000000, 16 << 20:
    try:
        os.truncate(sys.argv[1], size)
        print("done", size)
    except OSError as error:
        print(errno.errorcode[error.errno], size)' "$raw"
}

expect "EACCES 0 EACCES 4096 EACCES 5000000 EACCES 6000000 EACCES 16777216" \
    "$(tries | tr '\n' ' ' | sed 's/ $//')" "answers without the right to read the parent"
grep -q ' disks/child/raw EACCES E_ACCESSDENIED .*"base.vhd"' "$mnt/errors" ||
    fail "errors: $(cat "$mnt/errors")"
cmp -n 5000000 "$tmp/content" "$raw" || fail "the content of the child is gone"

chmod 644 "$mnt/disks/base/raw"
expect "done 0 done 4096 done 5000000 done 6000000 done 16777216" \
    "$(tries | tr '\n' ' ' | sed 's/ $//')" "answers with that right"
cmp -n 5000000 "$raw" /dev/zero || fail "a truncation to 0 leaves content"
