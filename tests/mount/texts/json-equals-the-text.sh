#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program could not parse status.json or info.json, or would find other facts
# there than in the text.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
echo 2 2>/dev/null >"$mnt/new/e"
printf '4"0\\\033' 2>/dev/null >"$mnt/new/strange"
head -c 5000 /dev/zero >"$store/damaged.vhd"
: >"$store/empty.vhd"
cp "$store/d.vhd" "$store/quo\"te\\back {slash} ä.vhd"
cat >"$tmp/program" <<'END'
import glob, json, sys

NUMBERS = {"percent", "id", "cancelable", "bytes", "used", "length", "blocks", "allocated", "children",
           "depth", "slack"}


def compare(text_path, json_path):
    text = [line.rstrip("\n").split(" ", 1) for line in open(text_path, encoding="utf-8")]
    parsed = json.load(open(json_path, encoding="utf-8"), object_pairs_hook=list)
    if [key for key, _ in text] != [key for key, _ in parsed]:
        sys.exit(f"FAILED: {json_path}: other keys: {text} {parsed}")
    for (key, shown), (_, value) in zip(text, parsed):
        if value is not None and isinstance(value, int) != (key in NUMBERS):
            sys.exit(f"FAILED: {json_path}: {key} is {value!r}")
        if shown.strip() != ("-" if value is None else str(value)):
            sys.exit(f"FAILED: {json_path}: {key}: {shown!r} {value!r}")


tasks = glob.glob(sys.argv[1] + "/tasks/*")
disks = glob.glob(sys.argv[1] + "/disks/*")
if len(tasks) != 3 or len(disks) != 4:
    sys.exit(f"FAILED: {tasks} {disks}")
for task in tasks:
    compare(task + "/status", task + "/status.json")
for disk in disks:
    compare(disk + "/info", disk + "/info.json")
END
"$python" -I -S "$tmp/program" "$mnt" || exit 1
for file in "$mnt"/tasks/*/status.json "$mnt"/disks/*/info.json; do
    "$python" -I -S -m json.tool "$file" >"$tmp/tidied" || fail "$file is not JSON"
    expect 1 "$(wc -l <"$file")" "lines of $file"
done
