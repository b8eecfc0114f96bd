#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: touch, chmod or a hard link by a backup program would make a disk unusable by any
# path that is not looked up again. Such paths are a container's bind mount, a descriptor and a
# current folder. Their users would get ESTALE for ever.
#
# Usage: touched-image-still-opens.sh bind|descriptor|folder|path
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
way=$1
start_vhdfs
make_disk d 8
noise 100000 1 >"$tmp/content"
dd if="$tmp/content" of="$raw" bs=4k conv=notrunc,fsync status=none
case $way in
    bind)
        need_root
        need_own_mounts
        : >"$tmp/bound"
        mount --bind "$raw" "$tmp/bound" || fail "cannot bind it"
        undo "umount -l '$tmp/bound' 2>/dev/null"
        path=$tmp/bound
        ;;
    descriptor | folder | path) path=$raw ;;
esac
run_python "a path that is not looked up again" '
import os, random, shutil, sys, time
way, path, image, content = sys.argv[1:]
content = open(content, "rb").read()
if way == "descriptor":
    fd = os.open(path, os.O_PATH)
    path = f"/proc/self/fd/{fd}"
elif way == "folder":
    os.chdir(os.path.dirname(path))
    path = "raw"
link = os.path.join(os.path.dirname(image), ".snapshot")

def rewrite():
    # Restore the same image: the same bytes, in place.
    data = open(image, "rb").read()
    with open(image, "r+b") as file:
        file.write(data)

changes = {
    "touch": lambda: os.utime(image),
    "touch -d": lambda: os.utime(image, (1e9, 1e9)),
    "chmod": lambda: os.chmod(image, 0o640),
    "link": lambda: os.link(image, link),
    "unlink of the link": lambda: os.remove(link),
    "the same bytes again": rewrite,
}
wrong = []

def check(what):
    for flags in os.O_RDONLY, os.O_RDWR, os.O_WRONLY, os.O_RDONLY | os.O_DIRECT:
        try:
            fd = os.open(path, flags)
            if flags in (os.O_RDONLY, os.O_RDWR):
                if os.pread(fd, len(content), 0) != content:
                    wrong.append(f"{what}: another content")
            if flags == os.O_WRONLY:
                os.pwrite(fd, content, 0)
            os.close(fd)
        except OSError as error:
            wrong.append(f"{what}, open {flags:#o}: {error}")

check("at first")
for turn in range(3):
    for what, change in changes.items():
        time.sleep(0.01)
        change()
        check(what)

# Meanwhile another process goes on touching the image.
import multiprocessing
def touch(stop):
    while not stop.is_set():
        os.utime(image)
context = multiprocessing.get_context("fork")
stop = context.Event()
toucher = context.Process(target=touch, args=(stop,))
toucher.start()
end = time.monotonic() + 4
tries = refused = 0
last = None
while time.monotonic() < end:
    tries += 1
    try:
        fd = os.open(path, os.O_RDONLY)
        assert os.pread(fd, 1, 0) == content[:1]
        os.close(fd)
    except OSError as error:
        refused += 1
        last = error
stop.set()
toucher.join()
if refused:
    wrong.append(f"beside one who touches it {refused} of {tries} fail: {last}")
assert not wrong, "\n".join(wrong)
' "$way" "$path" "$store/d.vhd" "$tmp/content"
