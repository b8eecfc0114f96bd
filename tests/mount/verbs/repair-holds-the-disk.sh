#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a repair would change an image that somebody uses, or the content that children
# rely on.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk base 40
noise 3000000 1 >"$tmp/noise"
dd if="$tmp/noise" of="$raw" bs=512 seek=77 conv=notrunc,fsync status=none
wait_until 20 is_trimmed base
length=$(stat -c %s "$store/base.vhd")

# Open here, and in another program, if only for reading.
exec 3<"$mnt/disks/base/raw"
verb_fails base repair 'EBUSY E_SHARING_VIOLATION .*close it in every program'
exec 3<&-
# shellcheck disable=SC2034 # the same user is enough
nobody="env"
hold_locks 201 1 "$store/base.vhd"
verb_fails base repair 'EBUSY E_SHARING_VIOLATION'
kill "$holder"
wait_until 10 has_ended "$holder"

# Children: the footer is put back, and the time that they record stays.
make_disk child parent=base
sum=$(cksum <"$mnt/disks/child/raw")
time=$(stat -c %y "$store/base.vhd")
head -c 512 /dev/zero | poke "$store/base.vhd" $((length - 512))
touch -d "$time" "$store/base.vhd"
verb base repair
expect "$time" "$(stat -c %y "$store/base.vhd")" "time of a repaired parent"
expect - "$(value "$mnt/disks/child/info" fault)" "fault of the child"
expect "$sum" "$(cksum <"$mnt/disks/child/raw")" "content of the child"

# But no block leaves its table.
printf '\0\100\0\0' | poke "$store/base.vhd" $((1536 + 4 * 9))
before=$(cksum <"$store/base.vhd")
echo repair >"$mnt/disks/base/ctl" || fail "refused: $(tail -n 1 "$mnt/errors")"
expect failed "$(cat "$mnt/tasks/base/wait")" "the outcome of a repair that children forbid"
grep -q '^block 9 outside ' "$mnt/tasks/base/report" || fail "report: $(cat "$mnt/tasks/base/report")"
expect "$before" "$(cksum <"$store/base.vhd")" "the parent's image"
stop_vhdfs

# A store that is mounted for reading: nothing is written.
start_vhdfs ro
(echo repair >"$mnt/disks/base/ctl") 2>/dev/null && fail "a repair on a mount for reading"
expect "$before" "$(cksum <"$store/base.vhd")" "the image on a mount for reading"
stop_vhdfs
