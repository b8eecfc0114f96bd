#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: `cp --sparse=auto` would silently leave out the latest writes to a disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d 32
cat >"$tmp/program" <<'END'
import os, random, subprocess, sys

raw, copy = sys.argv[1:]
size = os.stat(raw).st_size
random.seed(7)
model = bytearray(size)
for flags in os.O_RDWR, os.O_WRONLY, os.O_RDWR, os.O_WRONLY:
    fd = os.open(raw, flags)
    for _ in range(4):
        off = random.randrange(size - 100000)
        data = random.randbytes(random.randrange(1, 100000))
        os.pwrite(fd, data, off)
        model[off:off + len(data)] = data
    subprocess.run(["cp", "--sparse=auto", raw, copy], check=True)
    with open(copy, "rb") as file:
        assert file.read() == model, flags
    os.close(fd)
    subprocess.run(["cp", "--sparse=auto", raw, copy], check=True)
    with open(copy, "rb") as file:
        assert file.read() == model, flags
END
"$python" -I -S "$tmp/program" "$raw" "$tmp/copy" || fail "the copy"
[ "$(host_blocks "$tmp/copy")" -lt $((28 * 1024)) ] || fail "the copy has no holes"
