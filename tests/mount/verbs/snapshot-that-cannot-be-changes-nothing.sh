#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a snapshot that is refused would leave a name, or a disk in use would be taken from
# under its user.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d 16
make_disk other 16
before=$(cksum "$store"/*.vhd)

# fails COMMAND WORDS: refused, and nothing has changed
fails()
{
    verb_fails d "$1" "$2"
    expect "$before" "$(cksum "$store"/*.vhd)" "the images after $1"
    expect 1 "$(stat -c %h "$store/d.vhd")" "the names of the image after $1"
}

fails snapshot 'EINVAL E_INVALIDARG'
fails 'snapshot a b' 'EINVAL E_INVALIDARG'
fails 'snapshot a/b' 'EINVAL E_INVALIDARG'
fails 'snapshot .a' 'EINVAL E_INVALID_NAME'
fails 'snapshot a:b' 'EINVAL E_INVALID_NAME'
fails "snapshot $(printf '%0300d' 0)" 'EINVAL E_INVALIDARG'
fails "snapshot $(printf '%0252d' 0)" 'ENAMETOOLONG E_BUFFER_OVERFLOW'
fails 'snapshot d' 'EEXIST E_ALREADY_EXISTS'
fails 'snapshot other.vhd' 'EEXIST E_ALREADY_EXISTS'
exec 3<"$mnt/disks/d/raw"
fails 'snapshot s' 'EBUSY E_SHARING_VIOLATION .*open'
exec 3<&-
exec 3<"$mnt/disks/d/fixed.vhd"
fails 'snapshot s' 'EBUSY E_SHARING_VIOLATION .*open'
exec 3<&-
# The name is that of a request that works.
exec 3>"$mnt/new/other2"
fails 'snapshot /' 'EINVAL'
exec 3>&-
make_disk child parent=d
before=$(cksum "$store"/*.vhd)
fails 'snapshot s' 'EBUSY E_SHARING_VIOLATION .*1 differencing disk'
rmdir "$mnt/disks/child"
before=$(cksum "$store"/*.vhd)
expect failed "$(cat "$mnt/tasks/s/state")" "the record of a refusal"

# Two at once for one name: one is done.
for round in 1 2 3 4 5; do
    (echo "snapshot s$round" 2>/dev/null >"$mnt/disks/d/ctl") &
    one=$!
    (echo "snapshot s$round" 2>/dev/null >"$mnt/disks/other/ctl") &
    two=$!
    done=0
    wait $one && done=$((done + 1))
    wait $two && done=$((done + 1))
    expect 1 "$done" "snapshots of one name that were made"
    wait_until 5 [ -d "$mnt/disks/s$round" ]
done
names "$store" | grep -q draft && fail "a draft is left: $(names "$store")"
expect 1 "$(stat -c %h "$store"/*.vhd | sort -u)" "the names of each image"

stop_vhdfs
before=$(cksum "$store"/*.vhd)
start_vhdfs ro
echo 'snapshot t' 2>/dev/null >"$mnt/disks/d/ctl" && fail "a store that is only read is changed"
expect "$before" "$(cksum "$store"/*.vhd)" "the images by ro"
