#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a backup program that makes a hard link to the image of a parent, or chmod, would
# refuse every further open of a child that a program has open for writing. The content of the
# parent is the same.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk base 8
noise 3000000 1 | dd of="$mnt/disks/base/raw" bs=1M conv=notrunc status=none
echo parent=base >"$mnt/new/middle" || fail "cannot make a child"
echo parent=middle >"$mnt/new/top" || fail "cannot make a child of the child"
run_python "a child beside changes of its parents' attributes" '
import mmap, os, sys
mnt, store = sys.argv[1:]
raw = f"{mnt}/disks/top/raw"

def change(name):
    image = f"{store}/{name}.vhd"
    yield "chmod in the tree", lambda: os.chmod(f"{mnt}/disks/{name}/raw", 0o640)
    yield "chmod of the image", lambda: os.chmod(image, 0o600)
    yield "a hard link", lambda: os.link(image, f"{store}/{name}.backup")
    yield "the end of the link", lambda: os.remove(f"{store}/{name}.backup")

wrong = []
for mode in os.O_RDONLY, os.O_RDWR:
    first = os.open(raw, mode)
    page = mmap.mmap(first, 4096, access=mmap.ACCESS_WRITE) if mode == os.O_RDWR else None
    for name in "middle", "base", "middle":
        for turn, (what, act) in enumerate(change(name)):
            act()
            if page:
                page[turn] = turn + 1
            for other in os.O_RDONLY, os.O_RDWR:
                try:
                    fd = os.open(raw, other)
                    os.fsync(fd)
                    if os.pread(fd, 8, 0) != os.pread(first, 8, 0):
                        wrong.append(f"{name}, {what}: two views")
                    # The mode is still cached: a further mapping is possible.
                    mmap.mmap(fd, 4096, access=mmap.ACCESS_READ).close()
                    os.close(fd)
                except OSError as error:
                    wrong.append(f"{name}, {what}, open {mode:#o}, then {other:#o}: {error}")
    if page:
        page.close()
    os.close(first)
assert not wrong, "\n".join(wrong)
' "$mnt" "$store"
[ ! -s "$mnt/errors" ] || fail "errors: $(cat "$mnt/errors")"
