#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: after QEMU has changed an image, programs would still see old pages of the kernel.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command qemu-io qemu-img
start_vhdfs
make_disk d 64
noise 8000000 1 >"$tmp/content"
dd if="$tmp/content" of="$raw" bs=1M conv=notrunc status=none

# qemu_writes BYTE OFFSET: write 4 KiB while no program has the disk open here
qemu_writes()
{
    wait_until 5 qemu-io -f vpc -c "write -P $1 $2 4096" "$store/d.vhd" >"$tmp/said" 2>&1
}

number()
{
    stat -c %i "$raw"
}

# byte_at OFFSET: the byte there, read through the page cache
byte_at()
{
    dd if="$raw" bs=4096 skip=$(($1 / 4096)) count=1 status=none | od -An -tu1 -N 1 | tr -d ' '
}

# reads BYTE OFFSET: fail unless this byte is there
reads()
{
    expect "$1" "$(byte_at "$2")" "what is read at $2"
}

# shows BYTE OFFSET: this byte is there
shows()
{
    [ "$(byte_at "$2")" = "$1" ]
}

cat "$raw" >/dev/null # fill the page cache
inode=$(number)
for byte in 1 2 3 4 5; do
    qemu_writes $byte 4096
    qemu_writes $((byte + 100)) 33554432
    reads $byte 4096
    reads $((byte + 100)) 33554432
    expect "$inode" "$(number)" "its number"
done

# Another image takes its place, first of the same size, then of another.
cp "$store/d.vhd" "$tmp/same.vhd"
wait_until 5 qemu-io -f vpc -c 'write -P 77 4096 4096' "$tmp/same.vhd" >/dev/null
mv "$tmp/same.vhd" "$store/d.vhd"
reads 77 4096
qemu-img create -q -f vpc -o subformat=fixed,force_size "$tmp/larger.vhd" 96M
qemu-io -f vpc -c 'write -P 88 4096 4096' "$tmp/larger.vhd" >/dev/null
mv "$tmp/larger.vhd" "$store/d.vhd"
expect $((96 << 20)) "$(stat -c %s "$raw")" "size of another image in its place"
reads 88 4096
expect $((96 << 20)) "$(wc -c <"$raw")" "bytes that are read of it"

# An open file stays with the old image, and its pages do not come back.
exec 3<"$raw"
qemu-img create -q -f vpc -o subformat=fixed,force_size "$tmp/other.vhd" 96M
qemu-io -f vpc -c 'write -P 99 4096 4096' "$tmp/other.vhd" >/dev/null
mv "$tmp/other.vhd" "$store/d.vhd"
expect 88 "$(($(dd bs=4096 skip=1 count=1 status=none <&3 | od -An -tu1 -N 1)))" "the open file"
exec 3<&-
wait_until 5 shows 99 4096

# If no other program changes the image, its cached pages survive a close, an open and mv.
stop_vhdfs
rm "$store/d.vhd"
start_vhdfs
make_disk d 64
dd if="$tmp/content" of="$raw" bs=1M conv=notrunc,fsync status=none
cat "$raw" >/dev/null
kept()
{
    "$python" -I -S "$here/cached.py" "$1"
}
[ "$(kept "$raw")" -ge 977 ] || fail "the kernel keeps $(kept "$raw") pages of a thousand"
mv "$mnt/disks/d" "$mnt/disks/e" || fail "cannot rename it"
[ "$(kept "$mnt/disks/e/raw")" -ge 977 ] || fail "a rename costs what the kernel has kept"
