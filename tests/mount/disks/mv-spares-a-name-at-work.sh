#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a disk could get the name of another that is being made, so that one of them would
# be lost. Or mv would hang as long as the other takes.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/frozen.sh
. "$(dirname "$0")/../frozen.sh"

start_vhdfs
for name in a b; do
    echo 40 >"$mnt/new/$name" || fail "cannot make $name"
done
id=$(cat "$mnt/tasks/a/id")
freeze
make_behind d
maker=$!

for name in d d.vhd; do
    got=0
    within 10 mv -T "$mnt/disks/a" "$mnt/disks/$name" 2>"$tmp/said" || got=$?
    expect 1 "$got" "exit status of mv to $name"
    grep -q 'resource busy' "$tmp/said" || fail "mv says: $(cat "$tmp/said")"
    tail -n 1 "$mnt/errors" | grep -q ' disks/a EBUSY E_SHARING_VIOLATION .*"d"' ||
        fail "errors: $(tail -n 1 "$mnt/errors")"
done
within 10 mv "$mnt/disks/d" "$mnt/disks/e" 2>"$tmp/said" && fail "a disk was renamed half made"
expect "a b" "$(names "$mnt/disks")" "the disks"
expect "running $id" "$(cat "$mnt/tasks/d/state" "$mnt/tasks/a/id" | paste -sd ' ')" "the records"

thaw
ends_with 0 "$maker" "the maker"
expect EEXIST "$("$python" -I -S -c 'import errno, os, sys
try:
    os.rename(sys.argv[1], sys.argv[2])
except OSError as error:
    print(errno.errorcode[error.errno])' "$mnt/disks/a" "$mnt/disks/d")" "renaming to what was made"
expect "a b d" "$(names "$mnt/disks")" "the disks"
mv "$mnt/disks/d" "$mnt/disks/e" || fail "cannot rename what was made"
mv "$mnt/disks/a" "$mnt/disks/d" || fail "cannot rename to the name that is free"
expect "completed $id" "$(cat "$mnt/tasks/d/state" "$mnt/tasks/d/id" | paste -sd ' ')" "the record"
