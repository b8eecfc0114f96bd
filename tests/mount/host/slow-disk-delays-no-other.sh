#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: one disk whose image takes long to open would stop the whole mount.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/frozen.sh
. "$(dirname "$0")/../frozen.sh"

# A crash has left this disk in need of repair, so opening it writes to the host.
start_vhdfs
make_disk other
make_disk slow
exec 3<>"$raw"
noise 9000000 1 >"$tmp/content"
cat "$tmp/content" >&3
kill_vhdfs
exec 3>&-
start_vhdfs
raw=$mnt/disks/slow/raw
freeze
for number in 1 2 3; do
    behind sh -c "echo $number 1<>'$raw'"
    eval "opener$number=$!"
done
# shellcheck disable=SC2154
for number in 1 2 3; do
    eval "opener=\$opener$number"
    # It sleeps in open(2), or waits behind another open.
    wait_until 10 grep -q request_wait_answer "/proc/$opener/wchan" "/proc/$opener/stack"
done
within 10 head -c 100 "$mnt/disks/other/raw" >/dev/null || fail "another disk cannot be read"
within 10 ls -l "$mnt/disks/slow" "$mnt/disks/other" >/dev/null || fail "disks cannot be listed"
within 10 cat "$mnt/disks/slow/info" >/dev/null || fail "info of the slow disk cannot be read"
# shellcheck disable=SC2154
has_ended "$opener1" && fail "the disk was not slow"
thaw
for number in 1 2 3; do
    eval "opener=\$opener$number"
    ends_with 0 "$opener" "an opener"
done
cmp -i 2 -n 8999998 "$tmp/content" "$raw" || fail "the disk holds something else"
