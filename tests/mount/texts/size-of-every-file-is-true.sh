#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program that trusts the size of a file would read nothing or a part, or reject
# its copy as damaged.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root # to read files that are write-only
start_vhdfs
echo 3 >"$mnt/new/d" || fail "cannot make d"
echo 2 2>/dev/null >"$mnt/new/e"
head -c 5000 /dev/zero >"$store/damaged.vhd"
cd "$mnt" || exit 1
# Leave out the content of a damaged image, which cannot be read.
find . -type f ! -path './disks/damaged/raw' ! -path './disks/damaged/fixed.vhd' | sort >"$tmp/files"
[ "$(wc -l <"$tmp/files")" -ge 40 ] || fail "too few files: $(wc -l <"$tmp/files")"

mkdir "$tmp/shown"
find . -mindepth 1 -type d | (cd "$tmp/shown" && xargs mkdir -p)

# sizes FOLDER: the sizes of all files that are there
sizes()
{
    (cd "$1" && xargs stat -c '%s %n' <"$tmp/files")
}

# gives COMMAND...: the output of the command for each file. Its last argument is the file.
gives()
{
    while read -r file; do
        "$@" "$file" >"$tmp/shown/$file" || fail "exit status $? of: $* $file"
    done <"$tmp/files"
    sizes "$mnt" >"$tmp/sizes"
    sizes "$tmp/shown" | diff "$tmp/sizes" - >&2 || fail "bytes of: $*"
}

gives cat
gives head -c 10000000
gives sed ''
if command -v busybox >/dev/null; then
    gives busybox cat
    gives busybox head -c 10000000
fi
"$python" -I -S -c 'import os, sys
for path in open(sys.argv[1]).read().split("\n")[:-1]:
    size = os.stat(path).st_size
    fd = os.open(path, os.O_RDONLY)
    told = os.fstat(fd).st_size
    whole = open(path, "rb").read()
    pieces = whole
    if not path.endswith(("/cancel", "/raw", "/fixed.vhd")):
        pieces = b"".join(os.pread(fd, 1, i) for i in range(size + 2))
    if told != size or len(whole) != size or os.read(fd, 1 << 24) != whole or pieces != whole:
        sys.exit(f"FAILED: {path}: size {size}, by fstat {told}, read {whole[:99]} and {pieces[:99]}")
    os.close(fd)' "$tmp/files" || exit 1
