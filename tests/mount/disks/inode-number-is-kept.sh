#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: tar -g, borg, restic and rsync -H, which tell files by their inode numbers, would
# mistake one disk for another after a remount. They would restore the content of one under the name
# of the other.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

# numbers FOLDER...: print the path and the number of each folder and of all files below
numbers()
{
    find "$@" -printf '%p %i\n' | sort
}

start_vhdfs
for name in a b c; do
    make_disk $name 8
    printf 'disk %s' $name | dd of="$raw" conv=notrunc status=none
done
numbers "$mnt/disks/a" "$mnt/disks/b" "$mnt/disks/c" | grep -v '/task ' >"$tmp/before"
expect 39 "$(wc -l <"$tmp/before")" "files of three disks"
expect "" "$(cut -d ' ' -f 2 "$tmp/before" | sort | uniq -d)" "numbers of two files"

# ls -i reads only the listing, and must show the same number as stat.
listed()
{
    for folder in "$mnt" "$mnt/new" "$mnt/tasks" "$mnt/tasks/a" "$mnt/disks" "$mnt/disks/a"; do
        "$python" -I -S -c 'import os, sys
for entry in os.scandir(sys.argv[1]):
    print(entry.inode(), os.lstat(entry.path).st_ino, entry.path)' "$folder"
    done | while read -r listed told path; do
        expect "$told" "$listed" "$1: number of $path in its folder"
    done || exit 1
}
listed "looked up"

# The numbers survive another order of lookups, an empty cache and a remount.
stop_vhdfs
start_vhdfs
listed "never looked up"
stop_vhdfs
start_vhdfs
numbers "$mnt/disks/c" "$mnt/disks/b" "$mnt/disks/a" | grep -v '/task ' >"$tmp/after"
diff "$tmp/before" "$tmp/after" >&2 || fail "numbers differ after a remount"
if [ "$(id -u)" = 0 ] && echo 2 2>/dev/null >/proc/sys/vm/drop_caches; then
    numbers "$mnt/disks/b" "$mnt/disks/c" "$mnt/disks/a" | grep -v '/task ' >"$tmp/after"
    diff "$tmp/before" "$tmp/after" >&2 || fail "numbers differ after the cache was emptied"
fi
number=$(stat -c %i "$mnt/disks/b/raw")
expect "$mnt/disks/b/raw" "$(find "$mnt/disks" -inum "$number")" "found by its number"

# A renamed disk keeps its numbers.
mv "$mnt/disks/b" "$mnt/disks/z" || fail "mv"
expect "$number" "$(stat -c %i "$mnt/disks/z/raw")" "number after mv"
stop_vhdfs
start_vhdfs
ls "$mnt/disks/c" >"$tmp/shown"
expect "$number" "$(stat -c %i "$mnt/disks/z/raw")" "number after mv and a remount"

# An incremental archive of tar, made after a remount, restores each disk under its name.
stop_vhdfs
start_vhdfs
tar -cf "$tmp/0.tar" -g "$tmp/snapshot" -C "$mnt/disks" . 2>"$tmp/said" || fail "$(cat "$tmp/said")"
stop_vhdfs
start_vhdfs
stat "$mnt/disks/z/raw" "$mnt/disks/c/raw" "$mnt/disks/a/raw" >"$tmp/shown"
tar -cf "$tmp/1.tar" -g "$tmp/snapshot" -C "$mnt/disks" . 2>"$tmp/said" || fail "$(cat "$tmp/said")"
grep -i rename "$tmp/said" >&2 && fail "tar takes a disk for another"
mkdir "$tmp/restored"
for archive in 0 1; do
    tar -xf "$tmp/$archive.tar" -g /dev/null -C "$tmp/restored" || fail "cannot restore $archive"
done
for name in a z c; do
    cmp "$mnt/disks/$name/raw" "$tmp/restored/$name/raw" || fail "tar has restored another disk"
done

# A program that counts files by their numbers counts each disk.
expect "$(cat "$mnt"/disks/*/raw | wc -c)" \
    "$(du -bc "$mnt"/disks/*/raw | sed -n 's/[[:space:]]total$//p')" "bytes by du"
