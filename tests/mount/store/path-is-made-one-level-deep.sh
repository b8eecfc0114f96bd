#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: the first mount would need a mkdir by hand, or a typing error in a path would make
# whole trees of folders.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
[ -d "$store" ] || fail "no store"
echo 40 >"$mnt/new/d" || fail "cannot make d"
stop_vhdfs
[ -d "$mnt" ] || fail "the mount point is gone"

# Only the last component is made, for any kind of path.
cd "$tmp" || exit 1
rm -r store mnt
"$VHDFS" store mnt -o "pidfile=pid" || fail "exit status $? with relative paths"
daemon=$(cat pid)
end_later "$daemon"
expect "$tmp/store" "$(findmnt -n -o SOURCE "$mnt")" "the source"
echo 40 >mnt/new/d || fail "cannot make d"
expect "$tmp/store/d.vhd" "$(cat mnt/disks/d/path)" "path"
kill "$daemon"
wait_until 20 has_ended "$daemon"

ln -s store link
"$VHDFS" ./link/ mnt/ -o "pidfile=pid" || fail "exit status $? through a symlink"
daemon=$(cat pid)
end_later "$daemon"
expect "$tmp/store/d.vhd" "$(cat mnt/disks/d/path)" "path through a symlink"
kill "$daemon"
wait_until 20 has_ended "$daemon"

for paths in "a/b mnt" "store c/d"; do
    # shellcheck disable=SC2086
    "$VHDFS" $paths 2>said && fail "exit status 0 of vhdfs $paths"
    grep -q 'the folder above it is missing; make that first$' said || fail "$paths: $(cat said)"
done
[ ! -e a ] || fail "a was made for a/b"
[ ! -e c ] || fail "c was made for c/d"
