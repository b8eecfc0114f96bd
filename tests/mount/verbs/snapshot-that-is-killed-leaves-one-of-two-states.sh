#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a daemon that is killed amid a snapshot would leave a name that nobody asked for,
# or a disk without its content.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d 16
noise 3000000 1 >"$tmp/one"
dd if="$tmp/one" of="$raw" bs=1M conv=notrunc,fsync status=none
content=$(cksum <"$raw")
count=1
for round in 1 2 3 4 5 6 7 8; do
    (echo "snapshot s$round" >"$mnt/disks/d/ctl") 2>/dev/null &
    writer=$!
    "$python" -I -S -c "import time; time.sleep($round * 0.0015)"
    kill_vhdfs
    wait $writer
    start_vhdfs
    names "$store" | grep -q draft && fail "a draft is left: $(names "$store")"
    expect 1 "$(stat -c %h "$store"/*.vhd | sort -u)" "the names of each image"
    expect "$content" "$(cksum <"$mnt/disks/d/raw")" "the content of the disk"
    if [ -e "$mnt/disks/s$round" ]; then
        count=$((count + 1))
        expect "$content" "$(cksum <"$mnt/disks/s$round/raw")" "the content of s$round"
        expect "s$round" "$(cat "$mnt/disks/d/parent")" "parent"
    fi
    expect "$count" "$(value "$mnt/disks/d/info" depth)" "depth"
    expect - "$(value "$mnt/disks/d/info" fault)" "fault"
done
echo "made: $((count - 1)) of 8"

# What a crash leaves between the second name and the rename.
stop_vhdfs
ln "$store/d.vhd" "$store/late.vhd"
cp "$store/d.vhd" "$store/.vhdfs-draft-snapshot-1-1"
start_vhdfs
[ -e "$store/late.vhd" ] || fail "a user's own link is removed"
