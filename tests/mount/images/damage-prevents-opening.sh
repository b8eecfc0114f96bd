#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program could write to a damaged image, or a user would not learn the fault.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk header
make_disk entry
for name in lost other large; do
    make_disk "$name"
done
make_disk tail
echo kept 1<>"$raw"
stop_vhdfs
for name in lost other large; do
    "$python" -I -S "$here/child.py" "$store/$name.vhd" "$store/of-$name.vhd" ||
        fail "cannot make a child"
    rm "$store/$name.vhd"
done
printf 'XX' | poke "$store/header.vhd" 600
printf '\377\377\000\000' | poke "$store/entry.vhd" 1536
truncate -s -100 "$store/tail.vhd"
echo "no disk" >"$store/text.vhd"
: >"$store/empty.vhd"
start_vhdfs
make_disk other
make_disk large 200
stop_vhdfs
# Make a disk with the identity of the parent that is larger than the child.
"$python" -I -S -c 'import sys
other, child = (open(path, "r+b") for path in sys.argv[1:])
footer = bytearray(other.read(512))
child.seek(512 + 40)
footer[68:84] = child.read(16)
footer[64:68] = bytes(4)
footer[64:68] = (~sum(footer) & 0xFFFFFFFF).to_bytes(4, "big")
for at in (0, 0), (-512, 2):
    other.seek(*at)
    other.write(footer)' "$store/large.vhd" "$store/of-large.vhd" || fail "cannot forge a parent"
before=$(cksum "$store"/*.vhd)
start_vhdfs

# refused NAME WORD...: every way to open it fails with EUCLEAN, and errors has the reason
refused()
{
    for file in raw fixed.vhd; do
        run_python "opening $1/$file" 'import errno, os, sys
for flags in os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC:
    if "fixed" in sys.argv[1] and flags != os.O_RDONLY:
        continue
    try:
        os.open(sys.argv[1], flags)
    except OSError as error:
        assert error.errno == errno.EUCLEAN, error
    else:
        raise AssertionError("it opens")
try:
    os.truncate(sys.argv[1], 0)
except OSError as error:
    # The kernel refuses a truncation of fixed.vhd by its mode, except to root.
    by_mode = (errno.EPERM, errno.EACCES) if "fixed" in sys.argv[1] else ()
    assert error.errno in (errno.EUCLEAN, *by_mode), error
else:
    raise AssertionError("it can be emptied")' "$mnt/disks/$1/$file"
    done
    for file in raw fixed.vhd; do
        grep -q " disks/$1/$file EUCLEAN $2 .*\"$1\": .*$3" "$mnt/errors" ||
            fail "errors: $(cat "$mnt/errors")"
    done
    [ "$(value "$mnt/disks/$1/info" fault)" != - ] || fail "info of $1 tells no fault"
    ls -l "$mnt/disks/$1" >/dev/null || fail "its files cannot be listed"
}

refused header VM_E_INVALID_HD_FILE .
refused entry VM_E_INVALID_HD_FILE .
refused text VM_E_INVALID_HD_FILE .
refused empty VM_E_INVALID_HD_FILE .
refused of-lost VM_E_PARENT_PATH_NOT_FOUND .
refused of-other VM_E_PARENT_CHILD_ID_MISMATCH .
refused of-large VM_E_PARENT_MODIFIED .
expect "$before" "$(cksum "$store"/*.vhd)" "the images"

# vhdfs repairs an image if it can. Here the last footer is lost, but the copy exists.
expect kept "$(head -n 1 "$mnt/disks/tail/raw")" "a disk without its last footer"
echo more 1<>"$mnt/disks/tail/raw" || fail "it cannot be written to"
is_sound()
{
    [ "$(value "$mnt/disks/$1/info" fault)" = - ]
}
wait_until 5 is_sound tail
