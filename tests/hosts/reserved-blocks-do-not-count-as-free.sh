#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user would get a disk in the blocks that ext4 reserves for root, and the first
# write to the disk would find the host full.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

loop_mount 32 "$tmp/host" mkfs.ext4 -q -m 50
need_command fallocate
mkdir "$tmp/host/store"
fallocate -l 10M "$tmp/host/filler" || fail "cannot fill the host"
# shellcheck disable=SC2046
set -- $(stat -f -c '%f %a %S' "$tmp/host")
[ $(($1 * $3)) -ge $((8 << 20)) ] || fail "only $1 blocks are free"
[ $(($2 * $3)) -lt $((8 << 20)) ] || fail "$2 blocks are free for everybody"

out=$("$VHD_CREATE" "$tmp/host/store/d.vhd" 100) && fail "made in the reserve"
expect E_DISK_FULL "${out%% *}" "in the reserve"
expect "" "$(ls -A "$tmp/host/store")" "what a refusal leaves"
