#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: the files of the tree would belong to another user, or be more open than the
# options of the mount say.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root # to give the files to another user
start_vhdfs uid=12 gid=34 umask=027
echo 40 >"$mnt/new/d" || fail "cannot make d"
for path in . new tasks disks tasks/d disks/d; do
    expect "12 34 750" "$(stat -c '%u %g %a' "$mnt/$path")" "$path"
done
for path in version tasks/d/status tasks/d/wait disks/d/info; do
    expect "12 34 440" "$(stat -c '%u %g %a' "$mnt/$path")" "$path"
done
for path in errors new/d; do
    expect "12 34 640" "$(stat -c '%u %g %a' "$mnt/$path")" "$path"
done
expect "12 34 200" "$(stat -c '%u %g %a' "$mnt/tasks/d/cancel")" "cancel"
stop_vhdfs

start_vhdfs
for path in . new tasks disks tasks disks; do
    expect "$(id -u) $(id -g) 755" "$(stat -c '%u %g %a' "$mnt/$path")" "$path by default"
done
