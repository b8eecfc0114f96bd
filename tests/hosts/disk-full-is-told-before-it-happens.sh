#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user would get a disk on a host without space for its first block, or would be
# refused on a host that has the required 8 MB.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

free_bytes()
{
    # shellcheck disable=SC2046
    set -- $(stat -f -c '%a %S' "$tmp/host")
    echo $(($1 * $2))
}

# leave BYTES: fill the host until that much is free, or up to two blocks less.
leave()
{
    rm -f "$tmp/host/filler"
    fallocate -l $(($(free_bytes) - $1)) "$tmp/host/filler" || fail "cannot fill the host"
    free=$(free_bytes)
    [ "$free" -le "$1" ] || fail "cannot leave $1 bytes: $free"
    [ "$free" -ge $(($1 - 8192)) ] || fail "cannot leave $1 bytes: $free"
}

loop_mount 32 "$tmp/host" mkfs.ext4 -q -b 4096 -m 0
need_command fallocate
mkdir "$tmp/host/store"
minimum=$((8 << 20))

leave $((minimum - 4096))
out=$("$VHD_CREATE" "$tmp/host/store/d.vhd" 4096) && fail "made with $free bytes free"
expect E_DISK_FULL "${out%% *}" "with $free bytes free"
expect "" "$(ls -A "$tmp/host/store")" "what a refusal leaves"

# The present free space counts, and not the size to which the disk can grow.
leave $((minimum + 8192))
expect S_OK "$("$VHD_CREATE" "$tmp/host/store/d.vhd" 2088960)" "with $free bytes free"
