#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a backup of the tree, or a copy for a bug report, would stop half-way or miss some
# content.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root # to read files that are write-only
start_vhdfs
make_disk d 8
noise 3000000 1 | dd of="$raw" bs=1M conv=notrunc status=none
echo 2 2>/dev/null >"$mnt/new/e"
(cd "$mnt" && find . -type f -exec md5sum {} +) | sort >"$tmp/wanted"
files=$(wc -l <"$tmp/wanted")
[ "$files" -ge 40 ] || fail "too few files: $files"

# copies COMMAND...: it copies the tree to $tmp/copy; run inside the tree
copies()
{
    rm -rf "$tmp/copy"
    mkdir "$tmp/copy"
    (cd "$mnt" && within 30 "$@" 2>"$tmp/said") || fail "exit status $? of: $*: $(cat "$tmp/said")"
    expect "" "$(cat "$tmp/said")" "what it said: $*"
    (cd "$tmp/copy" && find . -type f -exec md5sum {} +) | sort >"$tmp/got"
    cmp "$tmp/wanted" "$tmp/got" || fail "another copy: $*"
}

copies cp -r . "$tmp/copy"
copies cp -a . "$tmp/copy"
copies sh -c "tar -cf - . | tar -xf - -C '$tmp/copy'"
if command -v busybox >/dev/null; then
    copies busybox cp -r . "$tmp/copy"
    copies sh -c "busybox tar -cf - . | busybox tar -xf - -C '$tmp/copy'"
fi
if command -v rsync >/dev/null; then
    copies rsync -a . "$tmp/copy"
fi
expect ../../tasks/d "$(readlink "$tmp/copy/disks/d/task" || readlink "$mnt/disks/d/task")" \
    "the symlink"

expect "$files" "$(within 30 grep -rce '' "$mnt" | wc -l)" "files that grep -r reads"
expect "$(cd "$mnt" && find . -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')" \
    "$(within 30 find "$mnt" -type f -exec cat {} + | wc -c)" "bytes that find shows"

# Reading has changed nothing.
(cd "$mnt" && find . -type f -exec md5sum {} +) | sort >"$tmp/got"
cmp "$tmp/wanted" "$tmp/got" || fail "the tree has changed by reading"

# Only the content of a damaged disk is missing from a copy.
head -c 5000 /dev/zero >"$store/damaged.vhd"
rm -rf "$tmp/copy"
grep -v " ./errors$" "$tmp/wanted" >"$tmp/but-errors"
cp -r "$mnt" "$tmp/copy" 2>"$tmp/said" && fail "cp says nothing of a damaged disk"
expect 2 "$(grep -c 'disks/damaged/.*Structure needs cleaning' "$tmp/said")" "what cp could not copy"
expect 2 "$(wc -l <"$tmp/said")" "what cp said"
(cd "$tmp/copy" && find . -type f ! -path './disks/damaged/*' -exec md5sum {} +) | sort >"$tmp/got"
grep -v ' ./errors$' "$tmp/got" | diff - "$tmp/but-errors" || fail "another copy beside a damaged disk"
grep -q '^fault .' "$tmp/copy/disks/damaged/info" || fail "its info is not in the copy"
