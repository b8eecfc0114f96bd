#!/bin/sh
# If this failed: a damaged image would be missing, shown as sound, or nobody could see what is
# wrong with it.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/mount.sh"

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

for name in empty short zeros text cut footer header table outside; do
    info=$mnt/disks/$name/info
    expect "$name" "$(value "$info" name)" "name of $name"
    expect 17 "$(wc -l <"$info")" "lines of the info of $name"
    [ "$(value "$info" fault)" != - ] || fail "$name has no fault"
    expect "$(stat -c %s "$store/$name.vhd")" "$(value "$info" length)" "length of $name"
    "$python" -I -S -m json.tool "$info.json" >"$tmp/tidied" || fail "info.json of $name"
    grep -q '"fault": "..*"' "$tmp/tidied" || fail "no fault in info.json of $name"
done
for name in empty short zeros text; do
    for key in type size bytes uuid created creator geometry blocks allocated parent parent_uuid; do
        expect - "$(value "$mnt/disks/$name/info" $key)" "$key of $name"
    done
    expect - "$(cat "$mnt/disks/$name/size")" "one value of $name"
    grep -q '"bytes": null,' "$mnt/disks/$name/info.json" || fail "info.json of $name: no null"
done
expect - "$(value "$mnt/disks/good/info" fault)" "fault of good"

# Each can be deleted like any other, and none of them blocks its name for ever.
for name in empty zeros cut table; do
    expect "open EEXIST" "$(answer "$mnt/new/$name" 40)" "making $name"
    rmdir "$mnt/disks/$name" || fail "cannot delete $name"
    echo 40 >"$mnt/new/$name" || fail "cannot make $name"
    expect - "$(value "$mnt/disks/$name/info" fault)" "fault of the new $name"
done
