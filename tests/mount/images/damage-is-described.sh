#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a damaged image would be missing or look sound, or nobody could see its fault.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
echo 40 >"$mnt/new/good" || fail "cannot make good"
: >"$store/empty.vhd"
head -c 511 /dev/zero >"$store/short.vhd"
head -c 5000 /dev/zero >"$store/zeros.vhd"
echo "this is a text" >"$store/text.vhd"
for name in cut footer copy header table outside; do
    cp "$store/good.vhd" "$store/$name.vhd"
done
truncate -s 2048 "$store/cut.vhd"
printf x | poke "$store/footer.vhd" $(($(stat -c %s "$store/good.vhd") - 500))
printf x | poke "$store/header.vhd" 600
printf '\0\0\0\0\0\0\377\0' | poke "$store/table.vhd" 528
printf '\0\100\0\0' | poke "$store/outside.vhd" 1536
printf x | poke "$store/copy.vhd" 100

# info and info.json have every key, for damaged images and files of other formats.
cat >"$tmp/program" <<'END'
import json, os, sys

KEYS = "type size bytes uuid created creator geometry blocks allocated parent parent_uuid".split()
mnt, store, damaged, strange = sys.argv[1:]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def expect(wanted, got, what):
    if wanted != got:
        sys.exit(f"FAILED: {what} of {name}: expected {wanted!r}, got {got!r}")


for name in damaged.split() + strange.split():
    info = f"{mnt}/disks/{name}/info"
    lines = read(info).split("\n")[:-1]
    told = dict(line.split(" ", 1) for line in lines)
    expect(name, told["name"], "name")
    expect(20, len(lines), "lines of the info")
    expect(str(os.stat(f"{store}/{name}.vhd").st_size), told["length"], "length")
    parsed = json.loads(read(info + ".json"))
    expect(False, told["fault"] in ("", "-"), "no fault in the info")
    expect(told["fault"], parsed["fault"], "the fault in info.json")
    if name in strange.split():
        for key in KEYS:
            expect("-", told[key], key)
        expect("-\n", read(f"{mnt}/disks/{name}/size"), "one value")
        expect(None, parsed["bytes"], "bytes in info.json")
END
"$python" -I -S "$tmp/program" "$mnt" "$store" "cut footer header table outside" \
    "empty short zeros text" || exit 1
expect - "$(value "$mnt/disks/good/info" fault)" "fault of good"

# A damaged disk can be deleted, and its name is free afterwards.
for name in empty zeros cut table; do
    expect "open EEXIST" "$(answer "$mnt/new/$name" 40)" "making $name"
    rmdir "$mnt/disks/$name" || fail "cannot delete $name"
    echo 40 >"$mnt/new/$name" || fail "cannot make $name"
    expect - "$(value "$mnt/disks/$name/info" fault)" "fault of the new $name"
done
