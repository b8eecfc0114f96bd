#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program that has a disk open would get errors, or lose what it writes, because
# another program renames or removes the image, which every plain file survives.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
noise 30000000 1 >"$tmp/noise"

# write_part N: the n-th of three parts, each of which needs new blocks
write_part()
{
    dd if="$tmp/noise" bs=1000000 skip=$(($1 * 10)) count=10 status=none >&3 ||
        fail "part $1 is not written: $(tail -n 1 "$mnt/errors")"
}

for kind in dynamic child; do
    make_disk base 40
    case $kind in
        dynamic) make_disk d 40 ;;
        child) make_disk d parent=base ;;
    esac
    exec 3<>"$raw"
    write_part 0
    mv "$store/d.vhd" "$store/moved.vhd"
    write_part 1
    "$python" -I -S -c 'import os; os.fsync(3)' || fail "cannot sync the moved disk"
    # Another disk of the old name is none of ours.
    make_disk d 8
    before=$(cksum <"$store/d.vhd")
    write_part 2
    exec 3>&-
    expect "$before" "$(cksum <"$store/d.vhd")" "the new image of the old name"
    # The close of the former handle may still be under way, so the first tries may be refused.
    expect "" "$(cat "$mnt/errors")" "errors of the writer"
    wait_until 10 cmp -s -n 30000000 "$tmp/noise" "$mnt/disks/moved/raw"
    : >"$mnt/errors"
    expect - "$(value "$mnt/disks/moved/info" fault)" "fault of the moved image"
    expect 0 "$(value "$mnt/disks/moved/info" slack)" "slack of the moved image"
    rmdir "$mnt/disks/d" "$mnt/disks/moved" "$mnt/disks/base" || fail "a disk is still held"
done

# A removed image: the writer goes on, and nothing is left.
make_disk d 40
exec 3<>"$raw"
write_part 0
rm "$store/d.vhd"
write_part 1
exec 3>&-
expect ".vhdfs-lock" "$(names "$store")" "the store"
expect "" "$(cat "$mnt/errors")" "errors"
stop_vhdfs
