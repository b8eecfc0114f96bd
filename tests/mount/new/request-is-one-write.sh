#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a request that arrives in pieces would be carried out in part. An open file could
# make a second disk, or a program could not try again after a refusal.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
cat >"$tmp/program" <<'END'
import errno, os, sys

new = sys.argv[1] + "/new/"


def handle(name, flags=os.O_WRONLY):
    return os.open(new + name, flags | os.O_CREAT, 0o666)


def write(fd, text):
    try:
        os.write(fd, text)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"


def expect(wanted, *answers):
    if wanted.split() != list(answers):
        sys.exit(f"FAILED: expected {wanted}, got {answers}")


def is_disk(name):
    return os.path.isdir(f"{sys.argv[1]}/disks/{name}")


# After a success, the handle accepts only blanks.
fd = handle("a")
expect("done done done done", write(fd, b"40"), write(fd, b"\n"), write(fd, b" \t\r\n"), write(fd, b" "))
expect("EINVAL EINVAL", write(fd, b"40\n"), write(fd, b"x"))
expect("done", write(fd, b"\n"))
os.close(fd)

# After a refusal, the handle accepts another request.
fd = handle("b")
expect("ERANGE EINVAL EINVAL done EINVAL",
       write(fd, b"2"), write(fd, b"\n"), write(fd, b"size=40"), write(fd, b"40"), write(fd, b"40"))
os.close(fd)

# Two requests in one write are refused.
fd = handle("c")
expect("EINVAL EINVAL EINVAL",
       write(fd, b"40\n41\n"), write(fd, b"40\n\n41"), write(fd, b"\n40\n"))
if is_disk("c"):
    sys.exit("FAILED: c was made")
os.close(fd)

# The offset of a write is ignored.
fd = handle("d", os.O_RDWR)
os.lseek(fd, 100000, os.SEEK_SET)
expect("done", write(fd, b"40"))
os.close(fd)
try:
    fd = handle("e")
    os.pwrite(fd, b"40", 1 << 40)
except OSError as error:
    sys.exit(f"FAILED: pwrite far out: {error}")

# Two handles have the same name: the first one that writes makes the disk.
first, second = handle("f"), handle("f")
expect("done EEXIST done EEXIST",
       write(second, b"41"), write(first, b"42"), write(second, b"\n"), write(first, b"\n"))

# dup, close and fsync change nothing.
fd = handle("g")
os.close(os.dup(fd))
os.fsync(fd)
expect("done", write(fd, b"40"))

if not all(map(is_disk, "abdefg")):
    sys.exit("FAILED: a disk is missing")
END
"$python" -I -S "$tmp/program" "$mnt" || exit 1
expect 41 "$(cat "$mnt/disks/f/size")" "size of the disk that two asked for"
expect "a b d e f g" "$(names "$mnt/disks")" "the disks"
