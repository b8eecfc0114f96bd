#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user would not find the verbs of a disk, or would be offered one that is refused.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

# listed NAME: the verbs that its ctl shows
listed()
{
    sed 's/ .*//' "$mnt/disks/$1/ctl" | paste -sd ' '
}

start_vhdfs
make_disk dynamic 16
make_disk child parent=dynamic
make_long fixed '16 type=fixed'
echo nonsense >"$store/bad.vhd"

for kind in dynamic fixed child; do
    [ "$(listed $kind)" ] || fail "no verb fits $kind"
    for word in $(listed $kind); do
        grep -Eq "^${word}[^ ]*( [^ ]+)*  +[a-z]" "$mnt/disks/$kind/ctl" || fail "no meaning: $word"
        # The list is true: a listed verb is not refused for the type of the disk.
        echo "$word non/sense" 2>/dev/null >"$mnt/disks/$kind/ctl" && fail "accepted: $word non/sense"
        ! tail -n 1 "$mnt/errors" | grep -q WRONG_HD || fail "$word does not fit $kind"
    done
done
expect "" "$(listed bad | grep -w convert)" "convert of a file that is no VHD"
verb_fails bad 'convert fixed' 'EUCLEAN VM_E_INVALID_HD_FILE .*no VHD footer'

# It looks like raw to ls, and its size is true.
expect "$(stat -c '%A %U' "$mnt/disks/dynamic/raw")" "$(stat -c '%A %U' "$mnt/disks/dynamic/ctl")" "mode"
expect "$(wc -c <"$mnt/disks/dynamic/ctl")" "$(stat -c %s "$mnt/disks/dynamic/ctl")" "size"
chmod 440 "$store/dynamic.vhd"
expect 440 "$(stat -c %a "$mnt/disks/dynamic/ctl")" "mode as the image's"
