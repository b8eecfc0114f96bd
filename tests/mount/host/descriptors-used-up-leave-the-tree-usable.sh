#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user with some hundreds of open disks would keep all others from listing the
# tree, making disks and opening them.
#
# Usage: descriptors-used-up-leave-the-tree-usable.sh soft|hard
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
need_command prlimit
most=$(prlimit --pid $$ --nofile --raw --noheadings -o HARD)
[ "$most" = unlimited ] || [ "$most" -ge 4096 ] || skip "needs 4096 descriptors"
many=450
mkdir "$store"
# The images are copies of one, with a name of their own in the footers.
start_vhdfs
make_disk d 8
stop_vhdfs
"$python" -I -S -c 'import struct, sys, uuid
path, many = sys.argv[1], int(sys.argv[2])
image = bytearray(open(path + "/d.vhd", "rb").read())
for number in range(many):
    for footer in 0, len(image) - 512:
        image[footer + 68:footer + 84] = uuid.uuid4().bytes
        image[footer + 64:footer + 68] = bytes(4)
        total = ~sum(image[footer:footer + 512]) & 0xFFFFFFFF
        image[footer + 64:footer + 68] = struct.pack(">I", total)
    open(f"{path}/d{number}.vhd", "wb").write(image)' "$store" $many || fail "cannot make images"

# With the hard limit as low there must be an end to it, and the end must be told.
case $1 in
    soft) limit=1024:$most ;;
    hard) limit=1024:1024 ;;
esac
printf '#!/bin/sh\nexec prlimit --nofile=%s %s "$@"\n' "$limit" "$VHDFS" >"$tmp/limited"
chmod +x "$tmp/limited"
VHDFS=$tmp/limited
start_vhdfs
prlimit --pid $$ --nofile="4096:$most"
run_python "many disks open" '
import errno, os, sys
mnt, many, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
held, wrong = [], []
for number in range(many):
    raw = f"{mnt}/disks/d{number}/raw"
    try:
        held.append(os.open(raw, os.O_RDWR))
    except OSError as error:
        if kind == "soft" or error.errno != errno.EMFILE:
            wrong.append(f"disk {number + 1} cannot be opened: {error}")
        break
    try:
        os.pwrite(held[-1], b"x" * 4096, 0)
    except OSError as error:
        wrong.append(f"disk {number + 1} cannot be written: {error}")
        break
if len(held) < 200:
    wrong.append(f"only {len(held)} disks can be open")

def works(what, call):
    try:
        return call()
    except OSError as error:
        wrong.append(f"with {len(held)} disks open, {what}: {error}")

def make():
    fd = os.open(f"{mnt}/new/made", os.O_WRONLY | os.O_CREAT)
    os.write(fd, b"8\n")
    os.close(fd)

names = works("ls disks", lambda: os.listdir(f"{mnt}/disks"))
if names is not None and len(names) != many + 1:
    wrong.append(f"ls shows {len(names)} disks")
works("cat version", lambda: open(f"{mnt}/version").read())
for number in 0, many // 2, many - 1:
    works("stat", lambda: os.stat(f"{mnt}/disks/d{number}/raw"))
    info = works("cat info", lambda: open(f"{mnt}/disks/d{number}/info").read())
    if info and "\nsize 8\n" not in info:
        wrong.append(f"info: {info}")
works("reading what is open", lambda: os.pread(held[0], 4096, 0))
works("syncing what is open", lambda: os.fsync(held[-1]))
works("making a disk", make)
works("cat state", lambda: open(f"{mnt}/tasks/made/state").read())
works("deleting a disk", lambda: os.rmdir(f"{mnt}/disks/made"))
errors = works("cat errors", lambda: open(f"{mnt}/errors").read())
if errors is not None and len(held) < many and " EMFILE " not in errors:
    wrong.append(f"errors: {errors}")
for fd in held:
    os.close(fd)
fd = works("opening the last one when the others are closed",
           lambda: os.open(f"{mnt}/disks/d{many - 1}/raw", os.O_RDWR))
assert not wrong, "\n".join(wrong)
' "$mnt" $many "$1"
