#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: cp -p and rsync would fail at the end, after the whole copy, or report another
# owner and mode than the disk has.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command rsync
start_vhdfs
make_disk d 8
noise 8388608 1 >"$tmp/image"
touch -d 2001-02-03 "$tmp/image"
chmod 600 "$tmp/image"
me="$(id -u) $(id -g)"

# taken OWNER_AND_MODE COMMAND...: it succeeds, sets that owner and mode, and keeps the size
taken()
{
    owner=$1
    shift
    chmod 644 "$raw" || fail "chmod 644"
    dd if=/dev/zero of="$raw" bs=1M count=8 conv=notrunc status=none
    "$@" 2>"$tmp/said" || fail "$*: status $?: $(cat "$tmp/said")"
    expect "$owner" "$(stat -c '%u %g %a' "$raw")" "owner and mode after $*"
    expect "$owner" "$(stat -c '%u %g %a' "$store/d.vhd")" "owner and mode of the image after $*"
    expect 8388608 "$(stat -c %s "$raw")" "size after $*"
}

taken "$me 600" cp -p "$tmp/image" "$raw"
same_bytes "$tmp/image" "$raw" "cp -p"
taken "$me 600" cp -a "$tmp/image" "$raw"
same_bytes "$tmp/image" "$raw" "cp -a"
taken "$me 644" rsync --inplace "$tmp/image" "$raw"
same_bytes "$tmp/image" "$raw" "rsync --inplace"
taken "$me 644" rsync -t --inplace --no-whole-file "$tmp/image" "$raw"
same_bytes "$tmp/image" "$raw" "rsync -t --inplace --no-whole-file"
taken "$me 600" chmod 600 "$raw"
if [ "$(id -u)" = 0 ]; then
    taken "12 34 644" chown 12:34 "$raw"
    taken "0 0 644" chown 0:0 "$raw"
fi
taken "$me 644" touch "$raw"
taken "$me 644" touch -d 2001-02-03 "$raw"
[ "$(stat -c %Y "$raw")" -gt 1000000000 ] || fail "its time is not that of the last change"

# A copy into the folder of a disk fails, and changes nothing.
cp "$tmp/image" "$mnt/disks/d/" 2>/dev/null && fail "a file was made in a disk"
mv "$tmp/image" "$raw" 2>/dev/null && fail "mv over a disk's content"
[ -f "$tmp/image" ] || fail "mv has lost the file"
ln "$raw" "$mnt/disks/d/other" 2>/dev/null && fail "a link was made"
rm -f "$raw" 2>/dev/null
[ -f "$raw" ] || fail "rm has removed the content"
