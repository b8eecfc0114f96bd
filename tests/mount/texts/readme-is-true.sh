#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user who tries the examples of the README would see another result at first
# sight.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

# shellcheck source=tests/mount/readme.sh
. "$(dirname "$0")/../readme.sh"

start_vhdfs
blocks "Try it" try
blocks "The tree" tree

# The first session: its last line makes a disk, and the next block is its output.
if [ ! -f "$tmp/try.0.sh" ] || [ ! -f "$tmp/try.1" ]; then
    fail "the session is not in \"Try it\""
fi
tail -n 1 "$tmp/try.0.sh" >"$tmp/last.sh"
grep -q 'new/.*tasks/' "$tmp/last.sh" || fail "the last line is: $(cat "$tmp/last.sh")"
shown "$tmp/last.sh" >"$tmp/shown" || fail "the session fails: $(cat "$tmp/said")"
times='s/[0-9]*-[0-9]*-[0-9]*T[0-9:]*Z/TIME/'
expect "$(sed "$times" "$tmp/try.1")" "$(sed "$times" "$tmp/shown")" "what the session shows"
[ -f "$store/disk1.vhd" ] || fail "there is no image disk1.vhd"

# The tree: the README and the mount have the same files.
[ -f "$tmp/tree.0" ] || fail "the tree is not in \"The tree\""
answer "$mnt/new/NAME" 40 >"$tmp/answer"
verb NAME check # so that its task has a report
cat >"$tmp/listed" <<'END'
import os, re, sys

tree, mnt = sys.argv[1:]
shown, folder = set(), ""
for line in open(tree):
    names, _, text = line.rstrip("\n").partition("  ") if not line.startswith(" ") else ("", "", "")
    if names:
        folder = names if names.endswith("/") else ""
        shown.add(names.rstrip("/"))
        continue
    found = re.match(r"    (\S+( \S+)*)", line) if re.match(r"    \S", line) else None
    if found:
        shown.update(folder + name for name in found.group(1).split())
    shown.update(folder + name for name in re.findall(r";  (\S+):", line))

there = {"new/NAME", "errors", "events", "version"}
for folder in "tasks/NAME", "disks/NAME":
    there.add(folder)
    there.update(f"{folder}/{name}" for name in os.listdir(f"{mnt}/{folder}"))
for name in sorted(shown):
    if not os.path.lexists(f"{mnt}/{name}"):
        sys.exit(f"FAILED: the README shows {name}, which is not there")
if shown != there:
    sys.exit(f"FAILED: shown or there only: {sorted(shown ^ there)}")
END
"$python" -I -S "$tmp/listed" "$tmp/tree.0" "$mnt" || exit 1
expect "disks errors events new tasks version" "$(names "$mnt")" "the root"

# Other statements about the tree.
expect completed "$(cat "$mnt/tasks/NAME/wait")" "what reading wait gives"
sync "$mnt/tasks/NAME/wait" || fail "exit status $? of sync"
for folder in new tasks disks; do
    [ -e "$mnt/$folder/NAME.vhd" ] || fail "$folder/NAME.vhd is not there"
done
echo 4G type=dynamic uuid=8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6 >"$mnt/new/OTHER.vhd" ||
    fail "a request as described is refused"
expect "4096 dynamic 8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6" \
    "$(cd "$mnt/disks/OTHER" && cat size type uuid | paste -sd ' ')" "what came of it"
for size in 3 2088960 2040G 1T; do
    echo $size >"$mnt/new/size$size" || fail "$size is refused"
    rmdir "$mnt/disks/size$size" "$mnt/tasks/size$size" || fail "cannot delete size$size"
done
expect "write ERANGE" "$(answer "$mnt/new/large" 2088961)" "more than the largest"

# Examples: each comment there is an output.
count=0
for block in "$tmp"/tree.*.sh; do
    [ -f "$block" ] || continue
    for shell in sh bash; do
        shown "$block" $shell >"$tmp/shown"
        sed -n 's/.*[^ ]  *# //p' "$block" >"$tmp/comments"
        [ -s "$tmp/comments" ] || fail "nothing is said of: $(cat "$block")"
        while read -r comment; do
            grep -qF "$comment" "$tmp/shown" ||
                fail "the README says \"$comment\", $shell shows \"$(cat "$tmp/shown")\""
        done <"$tmp/comments"
    done
    count=$((count + 1))
done
[ "$count" -gt 0 ] || fail "there is no example"

# Renaming, deleting and forgetting.
mv "$mnt/disks/NAME" "$mnt/disks/NEW" || fail "mv as described fails"
rm -r "$mnt/disks/NEW" 2>/dev/null && fail "rm -r deletes a disk"
find "$mnt/disks/NEW" -delete 2>/dev/null && fail "find -delete deletes a disk"
[ -f "$store/NEW.vhd" ] || fail "the disk is gone"
"$python" -I -S "$here/child.py" "$store/NEW.vhd" "$store/child.vhd" || fail "cannot make a child"
mv "$mnt/disks/NEW" "$mnt/disks/x" 2>/dev/null && fail "a parent was renamed"
sh -c "rmdir '$mnt/disks/NEW' 2>/dev/null" && fail "a parent was deleted"
sh -c "rmdir '$mnt/disks/child' '$mnt/disks/NEW' '$mnt/tasks/NEW'" ||
    fail "rmdir as described fails"
[ -s "$mnt/errors" ] || fail "errors tells no refusal"
echo >"$mnt/errors"
expect "" "$(cat "$mnt/errors")" "errors after a write"
umount "$mnt" || fusermount3 -u "$mnt" || fail "cannot unmount as described"
daemon_ends

# Each promise names tests that there are.
sed -n '/^## What is promised/,/^## Known limits/s/^|//p' "$readme" | tr '`' '\n' |
    grep '^[a-z_-]*/' | grep -vx tests/ >"$tmp/shown-by"
[ "$(wc -l <"$tmp/shown-by")" -gt 10 ] || fail "promises: $(cat "$tmp/shown-by")"
while read -r shown_by; do
    [ -e "$here/../$shown_by" ] || fail "there is no test $shown_by"
done <"$tmp/shown-by"
