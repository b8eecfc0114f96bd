#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program that writes a request and reads its status by the same descriptor would
# read nothing, or only the end. The kernel's own transaction files work that way.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
count=0
for shell in sh bash "busybox sh"; do
    command -v "${shell%% *}" >/dev/null || continue
    count=$((count + 1))
    # shellcheck disable=SC2086 # two words
    (cd "$mnt" && $shell -c "exec 3<>new/d$count; echo 64 >&3; cat <&3; cat <&3") >"$tmp/status" ||
        fail "$shell: exit status $?"
    same_bytes "$tmp/status" "$mnt/tasks/d$count/status" "the status as $shell reads it"
done
"$python" -I -S -c 'import os, sys

os.chdir(sys.argv[1])
fd = os.open("new/p", os.O_RDWR | os.O_CREAT)


def status():
    return open("tasks/p/status", "rb").read()


# Refused requests have a status too, and so has the next one. Read it in parts and whole.
for request in b"2", b"a request of no sense", b"64":
    try:
        os.write(fd, request)
        os.lseek(fd, 7, os.SEEK_CUR)
    except OSError:
        pass
    wanted = status()
    got = os.read(fd, 10)
    while part := os.read(fd, 50):
        got += part
    assert got == wanted, (request, got, wanted)
    assert os.read(fd, 10) == b""
assert b"state completed" in wanted

# A read at another offset returns the text from there on.
assert os.pread(fd, 4096, 0) == wanted
assert os.pread(fd, 4096, 6) == wanted[6:]
os.write(fd, b"\n")
assert os.read(fd, 4096) == wanted
assert os.read(fd, 4096) == b""' "$mnt" || fail "one descriptor in a program"
