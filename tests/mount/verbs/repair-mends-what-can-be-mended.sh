#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a repair would leave a disk that other programs refuse, lose its content, or change
# disks that need none; or nobody could undo it.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d 40
noise 9000000 1 >"$tmp/noise"
dd if="$tmp/noise" of="$raw" bs=512 seek=77 conv=notrunc,fsync status=none
cksum <"$raw" >"$tmp/sum"
wait_until 20 is_trimmed d
length=$(stat -c %s "$store/d.vhd")

# A disk without findings: no byte and no time changes, and nothing is kept.
before=$(cksum <"$store/d.vhd"; stat -c '%y %z' "$store/d.vhd")
verb d repair
expect "" "$(cat "$mnt/tasks/d/report")" "the report of a good disk"
expect "$before" "$(cksum <"$store/d.vhd"; stat -c '%y %z' "$store/d.vhd")" "the image"
expect "Repair virtual hard disk \"d\"" "$(cat "$mnt/tasks/d/description")" "description"
expect ".vhdfs-lock d.vhd" "$(names "$store")" "the store"

# damaged NAME OFFSET: a copy of the image with other bytes
damaged()
{
    cp --sparse=always "$store/d.vhd" "$store/$1.vhd"
    poke "$store/$1.vhd" "$2"
}

# mended NAME [SUM]: a repair completes, a check is clean, and the content is as before
mended()
{
    verb "$1" repair
    grep -q ' repaired ' "$mnt/tasks/$1/report" || fail "no change of $1: $(cat "$mnt/tasks/$1/report")"
    verb "$1" check
    expect - "$(value "$mnt/disks/$1/info" fault)" "fault of $1"
    expect "${2-$(cat "$tmp/sum")}" "$(cksum <"$mnt/disks/$1/raw")" "content of $1"
    if command -v qemu-img >/dev/null; then
        qemu-img info -f vpc "$store/$1.vhd" >"$tmp/said" 2>&1 || fail "QEMU: $(cat "$tmp/said")"
    fi
    if command -v vhdiinfo >/dev/null; then
        vhdiinfo "$store/$1.vhd" >"$tmp/said" 2>&1 || fail "libvhdi: $(cat "$tmp/said")"
    fi
}

head -c 512 /dev/zero | damaged lost $((length - 512))
mended lost
head -c 512 /dev/zero | damaged copy 0
mended copy
printf x | damaged checksum 548
mended checksum
printf '\0\100\0\0' | damaged outside $((1536 + 4 * 9))
mended outside
dd if="$store/d.vhd" bs=1 skip=1536 count=4 status=none | damaged overlap $((1536 + 4 * 9))
verb overlap repair
verb overlap check
head -c 9000000 "$mnt/disks/d/raw" | cmp -n 9000000 - "$mnt/disks/overlap/raw" || fail "overlap lost data"
cmp -n $((2 << 20)) -i 0:$((18 << 20)) "$mnt/disks/overlap/raw" "$mnt/disks/overlap/raw" ||
    fail "a block that overlapped has another content"
cp "$store/d.vhd" "$store/cut.vhd"
truncate -s $((length - 600000)) "$store/cut.vhd"
verb cut repair
verb cut check
cmp -n 6000000 "$mnt/disks/d/raw" "$mnt/disks/cut/raw" || fail "a cut file lost what it had"
make_long fixed '16 type=fixed'
dd if="$tmp/noise" of="$mnt/disks/fixed/raw" bs=1M conv=notrunc,fsync status=none
fixed=$(cksum <"$mnt/disks/fixed/raw")
truncate -s 20M "$store/fixed.vhd"
mended fixed "$fixed"

# The old metadata stays: with it the damaged image is there again.
printf '\0\100\0\0' | damaged undo $((1536 + 4 * 9))
cksum <"$store/undo.vhd" >"$tmp/damaged"
verb undo repair
run_python "putting the old metadata back" '
import sys
image, old = sys.argv[1:]
with open(old, "rb") as source, open(image, "r+b") as target:
    words = source.readline().split()
    assert words[:2] == [b"vhdfs", b"before-repair"], words
    while line := source.readline():
        at, count = map(int, line.split())
        target.seek(at)
        target.write(source.read(count))
    target.truncate(int(words[2]))
' "$store/undo.vhd" "$store/.undo.vhd.before-repair"
expect "$(cat "$tmp/damaged")" "$(cksum <"$store/undo.vhd")" "the image with its old metadata"
names "$mnt/disks" | grep -q before-repair && fail "the old metadata is listed as a disk"
expect "$(stat -c '%a %u' "$store/undo.vhd")" "$(stat -c '%a %u' "$store/.undo.vhd.before-repair")" "mode"

# It moves and goes with its disk.
mv "$mnt/disks/undo" "$mnt/disks/moved"
[ -e "$store/.moved.vhd.before-repair" ] || fail "the old metadata did not move: $(names "$store")"
[ ! -e "$store/.undo.vhd.before-repair" ] || fail "the old metadata is there twice"
rmdir "$mnt/disks/moved"
[ ! -e "$store/.moved.vhd.before-repair" ] || fail "the old metadata outlives its disk"

# The report names all that is left. A repair of a file that is no VHD changes nothing.
echo nonsense >"$store/text.vhd"
echo repair >"$mnt/disks/text/ctl" || fail "refused: $(tail -n 1 "$mnt/errors")"
expect failed "$(cat "$mnt/tasks/text/wait")" "the outcome of a repair of no VHD"
grep -q '^footer lost ' "$mnt/tasks/text/report" || fail "report: $(cat "$mnt/tasks/text/report")"
expect nonsense "$(cat "$store/text.vhd")" "the file that is no VHD"
stop_vhdfs
