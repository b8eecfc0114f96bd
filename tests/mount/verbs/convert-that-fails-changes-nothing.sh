#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a conversion that is cancelled, or meets a full host or another program, would
# lose the disk or leave a part of the new image.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

loop_mount 160 "$tmp/host" mkfs.ext4 -q
store=$tmp/host/store
# shellcheck source=tests/mount/gate.sh
. "$(dirname "$0")/../gate.sh"
start_vhdfs
make_disk d 60
noise 30000000 1 >"$tmp/noise"
dd if="$tmp/noise" of="$raw" bs=1M conv=notrunc,fsync status=none
wait_until 20 is_trimmed d
before=$(cksum <"$store/d.vhd")
free=$(df -k --output=avail "$store" | tail -n 1)

# unchanged WHAT: the disk is as before, and nothing else is left
unchanged()
{
    expect "$before" "$(cksum <"$store/d.vhd")" "the image after $1"
    expect ".gate .vhdfs-lock d.vhd" "$(names "$store")" "the store after $1"
    wait_until 10 sh -c "[ \$(df -k --output=avail '$store' | tail -n 1) -ge $((free - 100)) ]"
}

# The host has too little space, at once and later.
dd if=/dev/zero of="$tmp/host/filler" bs=1M count=70 status=none
verb_fails d 'convert fixed' 'ENOSPC E_DISK_FULL'
rm "$tmp/host/filler"
unchanged "a full host"

# A cancel, while the host reserves the space of the new image.
stop_vhdfs
start_vhdfs
shut_gate reserve
echo 'convert fixed' >"$mnt/disks/d/ctl" || fail "refused: $(tail -n 1 "$mnt/errors")"
wait_until 20 is_in running d
expect 1 "$(cat "$mnt/tasks/d/cancelable")" "cancelable"
# Meanwhile the disk is held.
verb_fails d 'convert fixed' 'EBUSY E_SHARING_VIOLATION'
rmdir "$mnt/disks/d" 2>/dev/null && fail "a disk at work is deleted"
cat "$mnt/disks/d/raw" >/dev/null 2>&1 && fail "a disk at work is open"
echo 1 >"$mnt/tasks/d/cancel" || fail "cannot cancel"
open_gate reserve
expect cancelled "$(cat "$mnt/tasks/d/wait")" "the outcome of a cancel"
unchanged "a cancel"

# The daemon is killed meanwhile.
shut_gate reserve
echo 'convert fixed' >"$mnt/disks/d/ctl" || fail "refused: $(tail -n 1 "$mnt/errors")"
wait_until 20 is_in running d
kill_vhdfs
open_gate reserve
unchanged "a kill"
start_vhdfs
cmp -n 30000000 "$tmp/noise" "$mnt/disks/d/raw" || fail "the content has changed"
stop_vhdfs
