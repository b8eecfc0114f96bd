#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program that walks the tree would miss folders, see one twice, or mistake two
# files for one.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
for name in a b c d e f g h i j; do
    echo 40 >"$mnt/new/$name" || fail "cannot make $name"
    cp "$store/$name.vhd" "$store/copy-$name.vhd"
done
find "$mnt" -printf '%P\n' | sort >"$tmp/wanted"
[ "$(wc -l <"$tmp/wanted")" -gt 300 ] || fail "too few names: $(wc -l <"$tmp/wanted")"
expect "" "$(uniq -d "$tmp/wanted")" "names that are listed twice"
expect "" "$(find "$mnt" -type f -printf '%i\n' | sort | uniq -d)" "inode numbers of two files"
expect "" "$(find "$mnt" -type d -printf '%i\n' | sort | uniq -d)" "inode numbers of two folders"

# sees COMMAND...: it prints the paths, with or without $mnt
sees()
{
    "$@" | sed "s,^$mnt/*,,; s,^\./*,,; s,^\.$,," | sort >"$tmp/got" || fail "exit status $? of: $*"
    diff "$tmp/wanted" "$tmp/got" >"$tmp/diff" || fail "not the whole tree: $*: $(head "$tmp/diff")"
}

sees find "$mnt" -noleaf
sees sh -c "du -a '$mnt' | cut -f 2-"
sees "$python" -I -S -c 'import os, sys
print(sys.argv[1])
for above, folders, files in os.walk(sys.argv[1]):
    for name in folders + files:
        print(os.path.join(above, name))' "$mnt"
if command -v busybox >/dev/null; then
    sees busybox find "$mnt"
fi
if command -v perl >/dev/null; then
    # shellcheck disable=SC2016 # Perl expands
    sees perl -MFile::Find -e 'find(sub { print "$File::Find::name\n" }, @ARGV)' "$mnt"
fi

# Each entry of a listing has the same kind as in stat.
"$python" -I -S -c 'import os, stat, sys
for above, folders, files in os.walk(sys.argv[1]):
    for entry in os.scandir(above):
        mode = os.lstat(entry.path).st_mode
        told = entry.is_dir(follow_symlinks=False), entry.is_symlink()
        if told != (stat.S_ISDIR(mode), stat.S_ISLNK(mode)):
            sys.exit(f"FAILED: {entry.path} is listed as another kind")' "$mnt"
