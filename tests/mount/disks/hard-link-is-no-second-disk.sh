#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: one image under two names would be two disks, each with a cache of its own. A
# write to one would be lost in the other.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk b 8
make_disk other 8
printf 'disk b' | dd of="$raw" conv=notrunc status=none
number=$(stat -c %i "$mnt/disks/b/raw")
ln "$store/b.vhd" "$store/c.vhd" || skip "needs a file system with hard links"
ln "$store/b.vhd" "$store/d.vhd"

# is_link NAME DISK: NAME is listed, and its fault names that disk
is_link()
{
    names "$mnt/disks" | grep -qw "$1" || fail "$1 is not listed"
    expect "this name is a hard link to the image of the disk \"$2\"; use that disk" "$(value "$mnt/disks/$1/info" fault)" "fault of $1"
    for file in raw fixed.vhd; do
        "$python" -I -S -c 'import errno, os, sys
try:
    os.open(sys.argv[1], os.O_RDONLY)
except OSError as error:
    sys.exit(error.errno != errno.EUCLEAN)
sys.exit(1)' "$mnt/disks/$1/$file" || fail "$1/$file was opened, or refused as what it is not"
    done
    tail -n 1 "$mnt/errors" |
        grep -q " disks/$1/fixed.vhd EUCLEAN .* a hard link to the image of the disk \"$2\"" ||
        fail "errors: $(tail -n 1 "$mnt/errors")"
}

is_link c b
is_link d b
expect "-" "$(value "$mnt/disks/b/info" fault)" "fault of the disk"
expect "$number" "$(stat -c %i "$mnt/disks/b/raw")" "number of the disk"
[ "$(head -c 6 "$mnt/disks/b/raw")" = "$(head -c 6 "$mnt/disks/other/raw")" ] && fail "same content"
expect "" "$(find "$mnt/disks" -printf '%i\n' | sort | uniq -d)" "numbers of two files"
find "$mnt/disks" -printf '%i %p\n' | sort >"$tmp/before"

# The disk is the first by name, whatever the age of the links or the order of the lookups.
stop_vhdfs
start_vhdfs
is_link d b
find "$mnt/disks" -printf '%i %p\n' | sort >"$tmp/after"
grep -v '/task$' "$tmp/before" | diff - "$tmp/after" >&2 || fail "numbers differ after a remount"
ln "$store/b.vhd" "$store/a.vhd"
is_link b a
is_link c a
printf x | dd of="$mnt/disks/a/raw" conv=notrunc status=none || fail "the first is not the disk"

# A link outside the store, or a removed one, does not count.
rm "$store/a.vhd" "$store/c.vhd" "$store/d.vhd"
ln "$store/b.vhd" "$tmp/a.vhd"
expect "-" "$(value "$mnt/disks/b/info" fault)" "fault with a link elsewhere"
cat "$mnt/disks/b/raw" >"$tmp/shown" || fail "b does not open with a link elsewhere"
expect "$number" "$(stat -c %i "$mnt/disks/b/raw")" "number with a link elsewhere"

# If two files differ only in the case of the ending, one is the disk, and its info names the other.
cp "$store/other.vhd" "$store/b.VHD"
[ "$(names "$store" | tr ' ' '\n' | grep -ci '^b\.vhd$')" = 2 ] || exit 0
expect "b other" "$(names "$mnt/disks")" "disks"
value "$mnt/disks/b/info" fault | grep -q '"b.VHD"' || fail "b: $(value "$mnt/disks/b/info" fault)"
cat "$mnt/disks/b/raw" >"$tmp/shown" || fail "b does not open beside b.VHD"
