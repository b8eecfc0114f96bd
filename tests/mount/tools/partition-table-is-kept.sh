#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: nobody could divide a disk into partitions.
#
# Usage: partition-table-is-kept.sh sfdisk|sgdisk
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
tool=$1
need_command "$tool"
start_vhdfs
make_disk d 64
case $tool in
    sfdisk)
        for label in dos gpt; do
            printf 'label: %s\nsize=20MiB\nsize=30MiB\n' $label |
                sfdisk -q "$raw" >"$tmp/said" 2>&1 || fail "sfdisk: $(cat "$tmp/said")"
            sfdisk -q --verify "$raw" >"$tmp/said" 2>&1 || fail "verify: $(cat "$tmp/said")"
            sfdisk -d "$raw" >"$tmp/before"
            expect 2 "$(grep -c start= "$tmp/before")" "partitions"
            stop_vhdfs
            start_vhdfs
            sfdisk -d "$raw" | diff "$tmp/before" - || fail "another table after the next mount"
        done
        sfdisk -q --delete "$raw" || fail "sfdisk --delete"
        ;;
    sgdisk)
        sgdisk -n 1:0:+20M -n 2:0:0 -t 2:8300 "$raw" >"$tmp/said" || fail "$(cat "$tmp/said")"
        sgdisk -v "$raw" | grep -q 'No problems found' || fail "$(sgdisk -v "$raw")"
        sgdisk -b "$tmp/backup" "$raw" >/dev/null || fail "sgdisk -b"
        sgdisk -Z "$raw" >/dev/null || fail "sgdisk -Z"
        sgdisk -l "$tmp/backup" "$raw" >/dev/null || fail "sgdisk -l"
        stop_vhdfs
        start_vhdfs
        sgdisk -v "$raw" | grep -q 'No problems found' || fail "after the next mount"
        expect 2 "$(sgdisk -p "$raw" | grep -cE '^ +[12] ')" "partitions"
        ;;
esac
expect $((64 << 20)) "$(stat -c %s "$raw")" "size of the disk"
