#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a typing error would change a disk, or would be refused without the reason.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d 16
before=$(cksum <"$store/d.vhd")

verb_fails d frobnicate 'EINVAL E_INVALIDARG "frobnicate" is no verb; known: .*convert'
verb_fails d '' 'EINVAL E_INVALIDARG'
verb_fails d convert 'EINVAL E_INVALIDARG the type is missing'
verb_fails d 'convert differencing' 'EINVAL E_INVALIDARG no disk can be converted'
verb_fails d 'convert fixed now' 'EINVAL E_INVALIDARG "now" does not belong to convert'
verb_fails d 'CONVERT fixed' 'EINVAL E_INVALIDARG'
printf 'convert fixed\nconvert dynamic\n' 2>/dev/null >"$mnt/disks/d/ctl" && fail "two lines"

# Without a write nothing happens: touch, truncation, and an open alone.
touch "$mnt/disks/d/ctl"
: >"$mnt/disks/d/ctl"
truncate -s 0 "$mnt/disks/d/ctl" || fail "truncation is refused"
expect create "$(cat "$mnt/tasks/d/operation")" "the record after refusals"
expect "$before" "$(cksum <"$store/d.vhd")" "the image after refusals"

# A handle takes one command, with CR and blanks tolerated.
exec 3>"$mnt/disks/d/ctl"
printf ' convert  dynamic \r\n' >&3 || fail "refused: $(tail -n 1 "$mnt/errors")"
echo 'convert dynamic' >&3 2>/dev/null && fail "a second command by one handle"
exec 3>&-
expect convert "$(cat "$mnt/tasks/d/operation")" "the operation"

# The kernel refuses to open it on a read-only mount.
stop_vhdfs
start_vhdfs ro
echo 'convert fixed' 2>/dev/null >"$mnt/disks/d/ctl" && fail "accepted on a read-only mount"
[ -s "$mnt/disks/d/ctl" ] || fail "ctl shows nothing with -o ro"
