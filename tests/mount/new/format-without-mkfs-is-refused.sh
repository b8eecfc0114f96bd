#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user without mkfs.fat would get a disk without a file system, or would not learn
# which package is missing; or mkfs.fat would not be found where a plain user's PATH lacks it.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

enter_own_mounts "$@"
need_command mkfs.fat
export PATH=/usr/bin:/bin
command -v mkfs.fat >/dev/null && skip "needs mkfs.fat outside of /usr/bin and /bin"
mkdir "$tmp/empty"

start_vhdfs
make_long d '512 format=fat16'
for folder in /usr/sbin /sbin; do
    mount --bind "$tmp/empty" $folder || skip "cannot hide $folder"
    undo "umount '$folder'"
done
request_fails other '512 format=fat16' 'EOPNOTSUPP E_NOTIMPL .*dosfstools'
# ENOTSUP is another name of it, which Python prefers.
expect "write ENOTSUP" "$(answer "$mnt/new/other" '512 format=fat16')" "the answer"
expect "failed 0x80004001 E_NOTIMPL" \
    "$(cat "$mnt/tasks/other/state" "$mnt/tasks/other/result" | paste -sd ' ')" "the record"
echo 40 >"$mnt/new/plain" || fail "a disk without a file system is refused"
stop_vhdfs
