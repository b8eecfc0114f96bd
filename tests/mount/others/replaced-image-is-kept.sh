#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: an image that another program restores, replaces or makes again, while its disk is
# open, would be cut or overwritten. Or readers would see the old image, and writes would be lost.
#
# Usage: replaced-image-is-kept.sh rename|in-place|again|rename-larger
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
need_command qemu-img
way=$1
seed=0

# an_image FILE MB: make an image with other content, such as a restored backup.
an_image()
{
    seed=$((seed + 1))
    noise 2000000 "$way $seed" >"$tmp/new-content"
    truncate -s "$2M" "$tmp/new-content"
    qemu-img convert -q -f raw -O vpc -o subformat=dynamic,force_size "$tmp/new-content" "$1" ||
        fail "qemu-img convert"
}

# replace: change d.vhd as another program does; $tmp/new is a copy of the new image.
replace()
{
    case $way in
        rename-larger) an_image "$tmp/new" 24 ;;
        *) an_image "$tmp/new" 16 ;;
    esac
    case $way in
        rename*) cp "$tmp/new" "$store/.restored" && mv "$store/.restored" "$store/d.vhd" ;;
        in-place) cat "$tmp/new" >"$store/d.vhd" ;;
        again) rm "$store/d.vhd" && cp "$tmp/new" "$store/d.vhd" ;;
    esac
}

shows_new()
{
    cmp -s "$tmp/new-content" "$raw"
}

run_one()
{
    [ ! -e "$mnt/disks/d" ] || rmdir "$mnt/disks/d" || fail "cannot delete the disk"
    make_disk d 16
    noise 3000000 "old $1" >"$tmp/old"
    dd if="$tmp/old" of="$raw" bs=64k conv=notrunc,fsync status=none
    case $1 in
        reader) exec 3<"$raw" ;;
        writer) exec 3<>"$raw" ;;
    esac
    [ "$1" != writer ] || dd bs=64k count=20 if="$tmp/old" status=none >&3 2>/dev/null
    dd bs=4096 count=1 status=none <&3 >/dev/null
    replace

    # An open shows the new image or fails. It never shows the old one.
    if head -c 65536 "$raw" >"$tmp/head" 2>"$tmp/said"; then
        cmp -s -n 65536 "$tmp/new-content" "$tmp/head" ||
            wrong="$wrong
$1: who opens the disk while the old image is open reads another content"
    else
        ! grep -q 'Stale' "$tmp/said" || wrong="$wrong
$1: $(cat "$tmp/said")"
    fi
    # The old handle works, or fails with one of these errnos.
    "$python" -I -S -c 'import errno, os, sys
honest = (errno.EIO, errno.EBUSY, errno.EUCLEAN, errno.EBADF)
try:
    os.pread(3, 4096, 1 << 20)
    # After a restore in place, nothing of ours may be in the image.
    if sys.argv[1] == "writer" and sys.argv[2] != "in-place":
        os.pwrite(3, b"mine" * 1024, 5 << 20)
        os.fsync(3)
except OSError as error:
    assert error.errno in honest, error' "$1" "$way" 2>"$tmp/said" || wrong="$wrong
$1: the old handle: $(tail -n 1 "$tmp/said")"
    exec 3<&-

    # The old handle is closed now.
    (wait_until 5 shows_new) 2>/dev/null || wrong="$wrong
$1: after the close the disk does not show the new image: $(cmp "$tmp/new-content" "$raw" 2>&1)"
    cmp "$tmp/new" "$store/d.vhd" >"$tmp/said" 2>&1 || wrong="$wrong
$1: the image is not what was left there: $(cat "$tmp/said")"
    expect "$(stat -c %s "$tmp/new-content")" "$(stat -c %s "$raw")" "size of the new disk"
    # The new image is a normal disk.
    dd if="$tmp/old" of="$raw" bs=1M conv=notrunc,fsync status=none 2>"$tmp/said" || wrong="$wrong
$1: the new disk cannot be written: $(cat "$tmp/said")"
    cmp -n 3000000 "$tmp/old" "$raw" || wrong="$wrong
$1: what is written to the new disk does not arrive"
}

start_vhdfs
wrong=
run_one reader
run_one writer
[ -z "$wrong" ] || fail "$wrong"
