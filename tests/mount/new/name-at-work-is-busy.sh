#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: two writers could make one disk at the same time, or a user could remove the
# record of a task at work.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/frozen.sh
. "$(dirname "$0")/../frozen.sh"

start_vhdfs
mkfifo "$tmp/go"
"$python" -I -S -c 'import errno, os, sys
early = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
open(sys.argv[2]).readline()
try:
    os.write(early, b"50")
    print("done")
except OSError as error:
    print(errno.errorcode[error.errno])' "$mnt/new/d" "$tmp/go" >"$tmp/early" &
early=$!
kill_later "$early"
# When a program reads the FIFO, the first handle is open.
exec 3>"$tmp/go"
freeze
make_behind d
maker=$!
id=$(cat "$mnt/tasks/d/id")

expect "open EBUSY" "$(answer "$mnt/new/d" 50)" "a second maker"
expect "open EBUSY" "$(answer "$mnt/new/d.vhd" 50)" "a second maker, by the file's name"
tail -n 1 "$mnt/errors" | grep -q ' new/d EBUSY E_SHARING_VIOLATION .' ||
    fail "errors: $(tail -n 1 "$mnt/errors")"
echo >&3
expect "open EBUSY" "$(answer "$mnt/new/d" bad)" "a bad request"

rmdir "$mnt/tasks/d" 2>"$tmp/said" && fail "the record can be forgotten"
grep -q 'resource busy' "$tmp/said" || fail "rmdir says: $(cat "$tmp/said")"
tail -n 1 "$mnt/errors" | grep -q ' tasks/d EBUSY E_SHARING_VIOLATION .' ||
    fail "errors: $(tail -n 1 "$mnt/errors")"
expect "running $id" "$(cat "$mnt/tasks/d/state" "$mnt/tasks/d/id" | paste -sd ' ')" "the record"

thaw
ends_with 0 "$maker" "the maker"
ends_with 0 "$early" "the maker who had opened before"
case $(cat "$tmp/early") in
    EBUSY | EEXIST) ;;
    *) fail "a write on a handle opened before is answered: $(cat "$tmp/early")" ;;
esac
expect "completed $id" "$(cat "$mnt/tasks/d/state" "$mnt/tasks/d/id" | paste -sd ' ')" "the record"
expect 40 "$(cat "$mnt/disks/d/size")" "size of what came of it"
