#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: common tools would fail to write a disk, change its size, or leave its old
# content.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
make_disk d 8
image=$tmp/image
size=$((8 << 20))
noise 3000000 image >"$image"
noise $size else >"$tmp/else"

# The disk must hold the bytes of the image and then zeros.
cp "$image" "$tmp/wanted"
truncate -s $size "$tmp/wanted"

# replace COMMAND: run it by each shell on a disk with other content.
replace()
{
    for shell in bash busybox dash; do
        command -v $shell >/dev/null || continue
        dd if="$tmp/else" of="$raw" bs=1M conv=notrunc status=none
        # shellcheck disable=SC2046 # the words of a shell
        image=$image raw=$raw python=$python $(words_of $shell) -c "$1" >"$tmp/said" 2>&1 ||
            fail "$shell: $1: exit status $?: $(cat "$tmp/said")"
        expect $size "$(stat -c %s "$raw")" "size"
        same_bytes "$tmp/wanted" "$raw" "$shell: $1: another content"
    done
}

# shellcheck disable=SC2016 # they are evaluated by the shell that is tried
for command in \
    'cat "$image" >"$raw"' \
    'cp "$image" "$raw"' \
    'dd if="$image" of="$raw" bs=64k' \
    'cat "$image" | dd of="$raw" bs=512' \
    'tee "$raw" <"$image" >/dev/null' \
    '"$python" -I -S -c "import shutil, sys; shutil.copyfile(*sys.argv[1:])" "$image" "$raw"' \
    ': >"$raw"; cat "$image" 1<>"$raw"'; do
    replace "$command"
done

# Images with a hole at the end: a smaller one, and one of the disk's size.
for end in 5000000 $size; do
    truncate -s "$end" "$image"
    # shellcheck disable=SC2016
    for command in \
        'cp "$image" "$raw"' \
        'cp --sparse=always "$image" "$raw"' \
        'dd if="$image" of="$raw" bs=1M conv=sparse' \
        'cat "$image" >"$raw"'; do
        replace "$command"
    done
done
# shellcheck disable=SC2016
replace 'dd if="$image" of="$raw" bs=1M oflag=direct'

# These write only a part.
noise 8388608 full >"$tmp/full"
cp "$tmp/full" "$raw"
noise 5000 part >"$tmp/part"
dd if="$tmp/part" of="$raw" bs=100 seek=12345 conv=notrunc status=none || fail "dd of a part"
dd if="$tmp/part" of="$tmp/full" bs=100 seek=12345 conv=notrunc status=none
same_bytes "$tmp/full" "$raw" "after a part was written"
