#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a check of a large disk would take as long as reading all its data, or could not be
# cancelled.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

# full_image PATH: a disk of 2040 GB with all its blocks. Their bitmaps are holes of the host.
full_image()
{
    "$python" -I -S -c '
import os, struct, sys
blocks = 1044480
size = blocks << 21
first = (1536 + 4 * blocks) // 512 + 7
def seal(data, at):
    return data[:at] + struct.pack(">I", ~sum(data) & 0xFFFFFFFF) + data[at + 4:]
footer = seal(struct.pack(">8sIIQI4sI4sQQHBBII16s428x", b"conectix", 2, 0x10000, 512, 0x12345678,
                          b"win ", 0xA0000, b"Wi2k", size, size, 65535, 16, 255, 3, 0,
                          b"identity" * 2), 64)
header = seal(struct.pack(">8sQQIIII984x", b"cxsparse", 2**64 - 1, 1536, 0x10000, blocks, 1 << 21,
                          0), 36)
with open(sys.argv[1], "wb") as out:
    out.write(footer + header)
    out.write(struct.pack(f">{blocks}I", *range(first, first + 4104 * blocks, 4104)))
    out.seek((first + 4104 * blocks) * 512)
    out.write(footer)
' "$1"
}

mkdir "$store"
full_image "$store/large.vhd" 2>"$tmp/said" || skip "needs a host with files of 2 TiB: $(cat "$tmp/said")"
start_vhdfs
begun=$(date +%s)
verb large check
expect "" "$(grep -v ' remark ' "$mnt/tasks/large/report")" "findings"
ended=$(date +%s)
[ $((ended - begun)) -le $((60 * patience)) ] || fail "the check took $((ended - begun)) s"

# A cancel ends it at once.
echo check >"$mnt/disks/large/ctl" || fail "refused: $(tail -n 1 "$mnt/errors")"
wait_until 20 is_in running large
echo 1 >"$mnt/tasks/large/cancel" || fail "cannot cancel"
within 2 cat "$mnt/tasks/large/wait" >"$tmp/state" || fail "a cancel takes long"
expect cancelled "$(cat "$tmp/state")" "the outcome of a cancel"
stop_vhdfs
