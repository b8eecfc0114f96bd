#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a copy would begin though its source is missing, changes or does not fit, or a
# copy that fails or is cancelled would leave a disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

loop_mount 100 "$tmp/host" mkfs.ext4 -q
store=$tmp/host/store
start_vhdfs
make_disk a 80
noise 60000000 1 >"$tmp/noise"
dd if="$tmp/noise" of="$raw" bs=1M conv=notrunc,fsync status=none

request_fails copy from=none 'ENOENT E_FILE_NOT_FOUND .*"none" to be copied'
request_fails copy '79 from=a' 'EINVAL E_INVALIDARG .*79 MB.*80 MB'
request_fails copy 'from=a parent=a' 'EINVAL E_INVALIDARG'
request_fails copy 'from=a type=differencing' 'EINVAL E_INVALIDARG'
request_fails copy 'from=a type=fixed' 'ENOSPC E_DISK_FULL'
request_fails copy 'from=' 'EINVAL E_INVALIDARG .*such as "from=disk1"'
: >"$store/text.vhd"
request_fails copy from=text 'EUCLEAN VM_E_INVALID_HD_FILE'
exec 3<>"$raw"
request_fails copy from=a 'EBUSY E_SHARING_VIOLATION .*"a" is open for writing'
exec 3>&-

# The host fills up meanwhile: the task fails, and nothing is left.
free=$(df -k --output=avail "$store" | tail -n 1)
echo from=a >"$mnt/new/copy" || fail "refused"
expect failed "$(cat "$mnt/tasks/copy/wait")" "the outcome on a full host"
expect "ENOSPC 0x80070070 E_DISK_FULL" \
    "$(cat "$mnt/tasks/copy/errno" "$mnt/tasks/copy/result" | paste -sd ' ')" "the record"
[ ! -e "$store/copy.vhd" ] || fail "a part of a disk is there"
wait_until 10 sh -c "[ \$(df -k --output=avail '$store' | tail -n 1) -ge $((free - 100)) ]"
cmp -n 60000000 "$tmp/noise" "$raw" || fail "the source holds other bytes"

# A copy in a directory that others may enter has no more readers than its source.
make_disk small 8
chmod 640 "$store/small.vhd"
echo from=small >"$mnt/new/private" || fail "refused"
expect completed "$(cat "$mnt/tasks/private/wait")" "the outcome"
expect 640 "$(stat -c %a "$store/private.vhd")" "mode of the copy"
chgrp 12345 "$store/small.vhd"
echo from=small >"$mnt/new/other-group" || fail "refused"
expect completed "$(cat "$mnt/tasks/other-group/wait")" "the outcome"
expect 600 "$(stat -c %a "$store/other-group.vhd")" "mode of the copy in another group"
stop_vhdfs
expect ".vhdfs-lock a.vhd other-group.vhd private.vhd small.vhd text.vhd" "$(names "$store")" "the store"
