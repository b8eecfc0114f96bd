#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a resize that is cancelled, killed, or meets a full host would change the content
# of a disk, or keep space of the host.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

loop_mount 200 "$tmp/host" mkfs.ext4 -q -m 0
store=$tmp/host/store
# shellcheck source=tests/mount/gate.sh
. "$(dirname "$0")/../gate.sh"
start_vhdfs
make_long d '40 type=fixed'
noise 30000000 1 >"$tmp/noise"
dd if="$tmp/noise" of="$mnt/disks/d/raw" bs=1M conv=notrunc,fsync status=none
before=$(cksum <"$store/d.vhd")

used()
{
    sync "$store"
    df -k --output=used "$store" | tail -n 1
}
space=$(used)

gives_back()
{
    [ "$(used)" -le $((space + 200)) ]
}

# unchanged WHAT: the disk is as before, and the host has its space back
unchanged()
{
    expect $((40 << 20)) "$(stat -c %s "$mnt/disks/d/raw")" "the size after $1"
    expect "$before" "$(cksum <"$store/d.vhd")" "the image after $1"
    wait_until 10 gives_back || fail "space is kept after $1: $(used), before $space"
}

# fill KB: take the space of the host up to this
fill()
{
    fallocate -l "$(($(df -k --output=avail "$store" | tail -n 1) - $1))K" "$tmp/host/filler" ||
        fail "cannot fill the host"
}

# start: begin a resize that waits for the host
start()
{
    shut_gate reserve
    echo 'resize 100' >"$mnt/disks/d/ctl" || fail "refused: $(tail -n 1 "$mnt/errors")"
    wait_until 20 is_in running d
    wait_until 20 [ "$(held)" -gt 0 ]
}

# The host has too little space, known at once; or found by reserving.
verb_fails d 'resize 400' 'ENOSPC E_DISK_FULL .*would take 360 MB more'
unchanged "a refusal"

# A cancel, while the host reserves the new part.
start
verb_fails d 'resize 90' 'EBUSY E_SHARING_VIOLATION'
cat "$mnt/disks/d/raw" >/dev/null 2>&1 && fail "a disk at work is open"
echo 1 >"$mnt/tasks/d/cancel" || fail "cannot cancel"
open_gate
expect cancelled "$(cat "$mnt/tasks/d/wait")" "the outcome of a cancel"
unchanged "a cancel"

# The host fills up meanwhile.
start
fill 30000
open_gate
expect failed "$(cat "$mnt/tasks/d/wait")" "the outcome on a full host"
expect ENOSPC "$(cat "$mnt/tasks/d/errno")" "the errno on a full host"
rm "$tmp/host/filler"
unchanged "a full host"

# The daemon is killed meanwhile. The next resize needs no more space than one.
start
kill_vhdfs
open_gate
start_vhdfs
expect "$before" "$(cksum <"$store/d.vhd")" "the image after a kill"
verb d 'resize 100'
cmp -n 30000000 "$tmp/noise" "$mnt/disks/d/raw" || fail "the content has changed"
[ "$(value "$mnt/disks/d/info" used)" -ge $((100 << 20)) ] || fail "it does not own its space"
[ "$(used)" -le $((space + (61 << 10))) ] || fail "it takes more space than it has"
verb d 'resize 40'
unchanged "both ways"

# A host that cannot reserve space: zeros are written, and cut off again after a failure.
: >"$gate_dir/no-reserve"
fill 30000
verb_fails d 'resize 100' 'ENOSPC E_DISK_FULL' # known at once
rm "$tmp/host/filler"
verb d 'resize 80'
[ "$(value "$mnt/disks/d/info" used)" -ge $((80 << 20)) ] || fail "it does not own its zeros"
verb d 'resize 40'
unchanged "zeros"

# A dynamic disk on a full host keeps its size; the search for data can be cancelled.
make_disk e 8
noise $((8 << 20)) 3 >"$raw" || fail "cannot fill it"
sync "$raw"
content=$(cksum <"$raw")
fill 1000
if echo 'resize 2088960' >"$mnt/disks/e/ctl" 2>/dev/null; then
    expect failed "$(cat "$mnt/tasks/e/wait")" "the outcome on a full host"
    expect ENOSPC "$(cat "$mnt/tasks/e/errno")" "the errno on a full host"
fi
expect $((8 << 20)) "$(stat -c %s "$mnt/disks/e/raw")" "size on a full host"
expect "$content" "$(cksum <"$mnt/disks/e/raw")" "content on a full host"
rm "$tmp/host/filler"
verb e 'resize 2088960'
expect "$content" "$(head -c $((8 << 20)) "$mnt/disks/e/raw" | cksum)" "content when there is space"
stop_vhdfs
