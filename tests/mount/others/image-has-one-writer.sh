#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: QEMU and vhdfs, or two vhdfs, would write to one image and destroy it.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command qemu-img qemu-io
start_vhdfs
make_disk d
image=$store/d.vhd

# qemu_can WORD...: qemu-io on the image with these options
qemu_can()
{
    qemu-io -f vpc "$@" "$image" </dev/null >"$tmp/said" 2>&1
}

# QEMU cannot open a disk that is open here for writing. It can read a disk that is open for
# reading.
exec 3<>"$raw"
qemu_can -c 'read 0 512' && fail "QEMU writes to what is written to here"
grep -q 'lock' "$tmp/said" || fail "QEMU says: $(cat "$tmp/said")"
qemu_can -r -c 'read 0 512' && fail "QEMU reads what is written to here"
qemu-img info "$image" >/dev/null 2>&1 && fail "qemu-img reads what is written to here"
qemu-img info -U "$image" >/dev/null || fail "qemu-img info -U: exit status $?"
exec 3>&-
exec 3<"$raw"
wait_until 5 qemu_can -r -c 'read 0 512' # after vhdfs has received the close
qemu_can -c 'write 0 512' && fail "QEMU writes to what is read here"
exec 3<&-
wait_until 5 qemu_can -c 'write -P 7 0 512'

# holds WORD...: QEMU opens the image with these options and keeps it open until let_go
holds()
{
    mkfifo "$tmp/go"
    qemu-io -f vpc "$@" "$image" <"$tmp/go" >"$tmp/said" 2>&1 &
    holder=$!
    kill_later $holder
    exec 4>"$tmp/go"
    echo "read 0 512" >&4
    wait_until 20 grep -q 'read 512/512' "$tmp/said"
}

let_go()
{
    exec 4>&-
    wait_until 20 has_ended $holder
    rm "$tmp/go"
}

# refused FLAGS: an open with these flags fails, and errors has the reason
refused()
{
    echo >"$mnt/errors"
    run_python "opening with $1" 'import errno, os, sys
try:
    os.open(sys.argv[1], getattr(os, sys.argv[2]))
except OSError as error:
    assert error.errno == errno.EBUSY, error
else:
    raise AssertionError("it opens")' "$raw" "$1"
    grep -q ' disks/d/raw EBUSY E_SHARING_VIOLATION .*"d"' "$mnt/errors" ||
        fail "errors: $(cat "$mnt/errors")"
}

holds
refused O_RDONLY
refused O_WRONLY
head -c 1 "$mnt/disks/d/fixed.vhd" 2>/dev/null && fail "fixed.vhd opens"
expect dynamic "$(cat "$mnt/disks/d/type")" "what can still be told of it"
let_go
holds -r
head -c 512 "$raw" | tr -d '\007' | cmp - /dev/null || fail "what QEMU reads cannot be read here"
refused O_RDWR
let_go
echo x 1<>"$raw" || fail "it does not open once QEMU is gone"

# A second vhdfs has the same image in a store of its own.
mkdir "$tmp/other"
ln "$image" "$tmp/other/e.vhd"
start_other "$tmp/other"
exec 3<>"$raw"
head -c 1 "$tmp/mnt2/disks/e/raw" 2>/dev/null && fail "what is written to here is read there"
grep -q ' disks/e/raw EBUSY ' "$tmp/mnt2/errors" || fail "errors there: $(cat "$tmp/mnt2/errors")"
exec 3>&-
exec 3<"$raw"
wait_until 5 head -c 1 "$tmp/mnt2/disks/e/raw" >"$tmp/byte"
sh -c ": 1<>'$tmp/mnt2/disks/e/raw'" 2>/dev/null && fail "what is read here is written to there"
exec 3<&-
wait_until 5 sh -c ": 1<>'$tmp/mnt2/disks/e/raw'" 2>/dev/null
