#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a cloud would refuse the image at upload, or the image would differ from the disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command qemu-img vhdiinfo
start_vhdfs
make_disk d 60
cat >"$tmp/program" <<'END'
import os, random, sys

random.seed(2)
fd = os.open(sys.argv[1], os.O_WRONLY)
size = os.fstat(fd).st_size
for off in 0, 12345678, 33 << 20, size - 3000:
    os.pwrite(fd, random.randbytes(3000), off)
END
"$python" -I -S "$tmp/program" "$raw" || fail "cannot fill the disk"
fixed=$mnt/disks/d/fixed.vhd
expect "$(((60 << 20) + 512)) 444" "$(stat -c '%s %a' "$fixed")" "size and mode"
[ "$(stat -c %b "$fixed")" -lt 40000 ] || fail "it looks as if it were full"

# QEMU converts the image to the same content, and reads the same content from fixed.vhd.
cp "$fixed" "$tmp/fixed.vhd" || fail "cp: exit status $?"
stop_vhdfs
qemu-img convert -f vpc -O vpc -o subformat=fixed,force_size "$store/d.vhd" "$tmp/qemu.vhd" ||
    fail "qemu-img convert: exit status $?"
cmp -n $((60 << 20)) "$tmp/qemu.vhd" "$tmp/fixed.vhd" || fail "another content than QEMU's"
expect "$(stat -c %s "$tmp/qemu.vhd")" "$(stat -c %s "$tmp/fixed.vhd")" "size, as QEMU's"
qemu-img compare -f vpc -F vpc "$store/d.vhd" "$tmp/fixed.vhd" >"$tmp/said" ||
    fail "QEMU reads it as another disk: $(cat "$tmp/said")"
qemu-img info "json:{\"driver\":\"vpc\",\"file\":{\"driver\":\"file\",\"filename\":\"$tmp/fixed.vhd\"}}" |
    grep -q "(62914560 bytes)" || fail "QEMU sees another size"
vhdiinfo "$tmp/fixed.vhd" >"$tmp/said" || fail "vhdiinfo: $(cat "$tmp/said")"
grep -q 'Disk type.*Fixed' "$tmp/said" || fail "vhdiinfo: $(cat "$tmp/said")"
run_python "what a cloud asks for" 'import struct, sys
data = open(sys.argv[1], "rb").read()
footer = data[-512:]
assert footer[:8] == b"conectix"
assert struct.unpack(">I", footer[60:64]) == (2,)
assert struct.unpack(">Q", footer[48:56])[0] == len(data) - 512
assert (len(data) - 512) % (1 << 20) == 0
assert struct.unpack(">Q", footer[16:24])[0] == (1 << 64) - 1
sum_ = sum(footer) - sum(footer[64:68])
assert struct.unpack(">I", footer[64:68])[0] == ~sum_ & 0xFFFFFFFF
' "$tmp/fixed.vhd"

# All ways of reading give the same bytes, also after a remount.
start_vhdfs
cmp "$fixed" "$tmp/fixed.vhd" || fail "another reading differs"
dd if="$fixed" of="$tmp/again" bs=100001 status=none
same_bytes "$tmp/again" "$tmp/fixed.vhd" "a reading in odd pieces differs"
tail -c 700 "$fixed" >"$tmp/end"
tail -c 700 "$tmp/fixed.vhd" | cmp - "$tmp/end" || fail "the end differs"

# Only a private mapping is possible.
run_python "a mapping" 'import errno, mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
try:
    mmap.mmap(fd, 4096, mmap.MAP_SHARED, mmap.PROT_READ)
    sys.exit("it was mapped")
except OSError as error:
    assert error.errno == errno.ENODEV, error
end = mmap.mmap(fd, 0, mmap.MAP_PRIVATE, mmap.PROT_READ)[-512:]
assert end == open(sys.argv[1], "rb").read()[-512:]
' "$fixed"

# It is sparse, and so is its copy. The footer never counts as a hole.
cp --sparse=auto "$fixed" "$tmp/sparse"
same_bytes "$tmp/sparse" "$tmp/fixed.vhd" "a sparse copy differs"
[ "$(host_blocks "$tmp/sparse")" -lt 20000 ] || fail "the copy has no holes"
echo 2040G >"$mnt/new/large"
run_python "data and holes" 'import errno, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
size = (2040 << 30) + 512
assert os.fstat(fd).st_size == size
assert os.lseek(fd, 0, os.SEEK_DATA) == size - 512
assert os.lseek(fd, 0, os.SEEK_HOLE) == 0
assert os.lseek(fd, size - 512, os.SEEK_HOLE) == size
assert os.lseek(fd, size - 1, os.SEEK_DATA) == size - 1
for whence in os.SEEK_DATA, os.SEEK_HOLE:
    try:
        os.lseek(fd, size, whence)
    except OSError as error:
        assert error.errno == errno.ENXIO
    else:
        raise AssertionError(whence)
' "$mnt/disks/large/fixed.vhd"

# It shows a write to raw at once, and is read-only.
echo new 1<>"$raw"
expect new "$(head -n 1 "$fixed")" "what was just written"
sh -c "echo x >>'$fixed'" 2>/dev/null && fail "it can be written to"
sh -c ": >'$fixed'" 2>/dev/null && fail "it can be emptied"
expect "$(((60 << 20) + 512))" "$(stat -c %s "$fixed")" "size after that"
[ "$(cksum <"$fixed")" != "$(cksum <"$tmp/fixed.vhd")" ] || fail "a change of the disk does not show"
