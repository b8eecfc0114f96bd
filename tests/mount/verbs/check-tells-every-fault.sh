#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user would take a damaged image for a good one, or the other way round; or a check
# would disturb those that use the disk, or change it.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d 40
noise 9000000 1 >"$tmp/noise"
dd if="$tmp/noise" of="$raw" bs=512 seek=77 conv=notrunc,fsync status=none
make_disk child parent=d
printf x | dd of="$raw" conv=notrunc,fsync status=none
make_long fixed '16 type=fixed'

# found NAME COUNT: a check fails, and has that many findings
found()
{
    echo check >"$mnt/disks/$1/ctl" || fail "refused: $(tail -n 1 "$mnt/errors")"
    expect failed "$(cat "$mnt/tasks/$1/wait")" "the outcome of a check of $1"
    expect '0xA0040682 VM_E_INVALID_HD_FILE' "$(cat "$mnt/tasks/$1/result")" "result"
    expect EUCLEAN "$(cat "$mnt/tasks/$1/errno")" "errno"
    expect "$2" "$(grep -vc '^[a-z]*\( [0-9]*\)\? remark ' "$mnt/tasks/$1/report")" "findings of $1: $(cat "$mnt/tasks/$1/report")"
    grep -q " $2 finding" "$mnt/tasks/$1/error" || fail "error: $(cat "$mnt/tasks/$1/error")"
}

# has NAME LINE: the report has such a line
has()
{
    grep -q "^$2 " "$mnt/tasks/$1/report" || fail "no line $2: $(cat "$mnt/tasks/$1/report")"
}

# A task has a report only when there is one.
[ ! -e "$mnt/tasks/d/report" ] || fail "a creation has a report"
names "$mnt/tasks/d" | grep -qw report && fail "a report that is not there is listed"

# Good disks of each type: nothing is found or changed, and readers go on.
before=$(cksum "$store"/*.vhd; stat -c '%y %z' "$store"/*.vhd)
exec 3<"$mnt/disks/d/raw"
for name in d child fixed; do
    verb $name check
    expect "" "$(cat "$mnt/tasks/$name/report")" "the report of a good disk"
    expect 0 "$(stat -c %s "$mnt/tasks/$name/report")" "its size"
    expect 444 "$(stat -c %a "$mnt/tasks/$name/report")" "its mode"
    names "$mnt/tasks/$name" | grep -qw report || fail "the report is not listed"
done
exec 3<&-
expect "Check virtual hard disk \"d\"" "$(cat "$mnt/tasks/d/description")" "description"
expect "$before" "$(cksum "$store"/*.vhd; stat -c '%y %z' "$store"/*.vhd)" "the images after a check"

# A writer excludes a check.
exec 3<>"$mnt/disks/fixed/raw"
printf x >&3
verb_fails fixed check 'EBUSY E_SHARING_VIOLATION .*open for writing'
exec 3>&-
verb_fails fixed 'check now' 'EINVAL E_INVALIDARG'

# Damage of each part.
length=$(stat -c %s "$store/d.vhd")
damaged()
{
    cp --sparse=always "$store/d.vhd" "$store/$1.vhd"
    poke "$store/$1.vhd" "$2"
}
printf x | damaged copy 100
found copy 1
has copy 'copy checksum'
printf x | damaged footer $((length - 500))
found footer 2
has footer 'footer checksum'
has footer 'copy differs'
printf x | damaged header 548
found header 1
has header 'header checksum'
printf '\0\100\0\0' | damaged outside 1536
found outside 1
has outside 'block 0 outside'
dd if="$store/d.vhd" bs=1 skip=1536 count=4 status=none | damaged overlap 1540
found overlap 1
has overlap 'block [01] overlap'
echo nonsense >"$store/text.vhd"
found text 1
has text 'footer lost'

# Parents.
mv "$store/d.vhd" "$store/away"
found child 1
has child 'parent lost'
mv "$store/away" "$store/d.vhd"
touch -d 2020-01-01 "$store/d.vhd"
found child 1
has child 'parent time'

# Remarks do not count.
head -c 4096 /dev/zero >"$tmp/slack"
cp "$store/d.vhd" "$store/slack.vhd"
dd if="$tmp/slack" of="$store/slack.vhd" bs=1 seek=$((length - 512)) conv=notrunc status=none
dd if="$store/d.vhd" of="$store/slack.vhd" bs=1 skip=$((length - 512)) seek=$((length + 3584)) \
    conv=notrunc status=none
verb slack check
has slack 'file remark'
stop_vhdfs
