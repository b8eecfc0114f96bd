#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: `rm -r` in the wrong place, or a program that tidies up, would delete disks.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs

# spares COMMAND...: the command leaves three disks alone
spares()
{
    for name in a b c; do
        [ -d "$mnt/disks/$name" ] || echo 40 >"$mnt/new/$name" || fail "cannot make $name"
    done
    within 30 "$@" >"$tmp/said" 2>&1
    expect ".vhdfs-lock a.vhd b.vhd c.vhd" "$(names "$store")" "the store after: $*"
    expect "a b c" "$(names "$mnt/disks")" "the disks after: $*"
    [ "$(cat "$mnt/disks/a/size")" = 40 ] || fail "a is not whole after: $*"
}

spares rm -r "$mnt/disks/a"
grep -q 'Operation not permitted' "$tmp/said" || fail "rm says: $(cat "$tmp/said")"
spares rm -rf "$mnt/disks/a"
spares rm -rf "$mnt/disks"
spares sh -c "rm -rf '$mnt'/*"
spares rm -rf "$mnt"
spares find "$mnt/disks/a" -delete
spares find "$mnt/disks" -delete
spares find "$mnt" -mindepth 1 -delete
spares find "$mnt/disks" -empty -delete
spares find "$mnt/disks" -type d -empty -delete
spares sh -c "rm -f '$mnt'/disks/*/*; rm -f '$mnt'/disks/*"
for folder in disks/a disks .; do
    for more in '' 'ignore_errors=True' 'onerror=lambda *_: None'; do
        spares "$python" -I -S -c "import shutil, sys; shutil.rmtree(sys.argv[1], $more)" \
            "$mnt/$folder"
    done
done
if command -v busybox >/dev/null; then
    spares busybox rm -rf "$mnt/disks/a"
    spares busybox rm -rf "$mnt/disks"
    spares busybox find "$mnt/disks" -delete
fi
if command -v perl >/dev/null; then
    # shellcheck disable=SC2016 # Perl expands
    spares perl -MFile::Path=remove_tree -e 'remove_tree(@ARGV, {error => \my $errors})' "$mnt/disks/a"
    spares perl -MFile::Path=remove_tree -e 'remove_tree(@ARGV, {keep_root => 1})' "$mnt/disks"
fi
if command -v rsync >/dev/null; then
    mkdir "$tmp/empty"
    spares rsync -a --delete "$tmp/empty/" "$mnt/disks/"
fi
