#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a renamed disk would lose its record or its open files, or its old name would stay
# taken.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
echo 40 >"$mnt/new/a" || fail "cannot make a"
image=$(stat -c %i "$store/a.vhd")
id=$(cat "$mnt/tasks/a/id")
cat >"$tmp/program" <<'END'
import os, subprocess, sys

mnt = sys.argv[1]
info = os.open(mnt + "/disks/a/info", os.O_RDONLY)
status = os.open(mnt + "/tasks/a/status", os.O_RDONLY)
wait = os.open(mnt + "/tasks/a/wait", os.O_RDONLY)
os.pread(info, 1000, 0)
before = os.pread(status, 1000, 0)
os.chdir(mnt + "/disks/a")
subprocess.run(["mv", mnt + "/disks/a", mnt + "/disks/b"], check=True)


def expect(wanted, got, what):
    if got != wanted:
        sys.exit(f"FAILED: {what}: expected {wanted}, got {got}")


# Open files stay usable, and so does the current folder of a program.
expect(b"name b", os.pread(info, 1000, 0).splitlines()[0], "an open info")
expect(before, os.pread(status, 1000, 0), "an open status")
os.fsync(wait)
expect(b"completed\n", os.pread(wait, 1000, 0), "an open wait")
expect("40\n", open("size").read(), "size, from inside")
expect(mnt + "/disks/b", os.getcwd(), "the folder, from inside")
END
"$python" -I -S "$tmp/program" "$mnt" || exit 1
expect b "$(names "$mnt/disks")" "the disks"
expect b "$(names "$mnt/tasks")" "the records"
expect ".vhdfs-lock b.vhd" "$(names "$store")" "the store"
expect "$image" "$(stat -c %i "$store/b.vhd")" "the image's number"
for gone in disks/a tasks/a new/a disks/a.vhd tasks/a.vhd; do
    [ ! -e "$mnt/$gone" ] || fail "$gone is still there"
done
expect "b $store/b.vhd 40 -" \
    "$(for key in name path size fault; do value "$mnt/disks/b/info" $key; done | paste -sd ' ')" \
    "info"
expect ../../tasks/b "$(readlink "$mnt/disks/b/task")" "task"
expect "$id" "$(cat "$mnt/disks/b/task/id")" "id"
expect completed "$(value "$mnt/new/b" state)" "state in new/b"
[ -e "$mnt/new/b" ] || fail "new/b is not there"

# The old name is free at once, for another disk.
echo 41 >"$mnt/new/a" || fail "cannot make a again"
expect "41 40" "$(cat "$mnt/disks/a/size" "$mnt/disks/b/size" | paste -sd ' ')" "sizes"
[ "$(cat "$mnt/tasks/a/id")" != "$id" ] || fail "a has the record of b"
expect "$id" "$(cat "$mnt/tasks/b/id")" "id of b"
rmdir "$mnt/disks/a" "$mnt/tasks/a" || fail "cannot delete a"

# A target with ".vhd" in any case. The file keeps the case of its ending.
mv "$mnt/disks/b" "$mnt/disks/c.vhd" || fail "cannot rename to c.vhd"
expect c "$(names "$mnt/disks")" "the disks after renaming to c.vhd"
expect ".vhdfs-lock c.vhd" "$(names "$store")" "the store after renaming to c.vhd"
expect "$id" "$(cat "$mnt/tasks/c/id")" "id of c"
for ending in VHD Vhd vHd; do
    cp "$store/c.vhd" "$store/foreign.$ending"
    mv "$mnt/disks/foreign" "$mnt/disks/moved" || fail "cannot rename foreign.$ending"
    [ -f "$store/moved.$ending" ] || fail "the store has: $(names "$store")"
    [ ! -e "$mnt/tasks/moved" ] || fail "a record of a disk that was not made here"
    expect 40 "$(cat "$mnt/disks/moved/size")" "size of moved.$ending"
    rmdir "$mnt/disks/moved" || fail "cannot delete moved.$ending"
done

# Targets that differ in case, or have blanks or UTF-8.
for name in C 'with blank' 'größe' c; do
    mv "$mnt/disks/$(names "$mnt/disks")" "$mnt/disks/$name" || fail "cannot rename to \"$name\""
    expect "$name" "$(names "$mnt/disks")" "the disks"
    expect "$id" "$(cat "$mnt/tasks/$name/id")" "id of \"$name\""
done

# The record of a failed request is replaced.
answer "$mnt/new/d" 2 >"$tmp/answer"
expect failed "$(cat "$mnt/tasks/d/state")" "state of d"
mv "$mnt/disks/c" "$mnt/disks/d" || fail "cannot rename to a name whose request failed"
expect "completed $id" "$(cat "$mnt/tasks/d/state" "$mnt/tasks/d/id" | paste -sd ' ')" "d"
expect d "$(names "$mnt/tasks")" "the records"

# A disk without a record does not take over another record.
answer "$mnt/new/e" 2 >"$tmp/answer"
cp "$store/d.vhd" "$store/foreign.vhd"
mv "$mnt/disks/foreign" "$mnt/disks/e" || fail "cannot rename foreign"
[ ! -e "$mnt/tasks/e" ] || fail "e has the record of a request that failed"
[ ! -L "$mnt/disks/e/task" ] || fail "e has a task"

rmdir "$mnt/disks/d" || fail "cannot delete d"
expect e "$(names "$mnt/disks")" "the disks in the end"
stop_vhdfs
start_vhdfs
expect e "$(names "$mnt/disks")" "the disks of the next mount"
