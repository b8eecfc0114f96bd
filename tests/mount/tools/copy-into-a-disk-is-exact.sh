#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a copying tool would put changed content into a disk, report a failure, leave old
# content, or change the disk's size.
#
# Usage: copy-into-a-disk-is-exact.sh TOOL
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

tool=$1
need_command "$tool"
start_vhdfs
make_disk d 64
size=$((64 << 20))
image=$tmp/image
wrong=
noise 2097152 old >"$tmp/some"
cat "$tmp/some" "$tmp/some" >"$tmp/old"
noise 3000 image >"$tmp/bytes"

# old_content: write to several places of the disk.
old_content()
{
    for at in 0 20 40 60; do
        dd if="$tmp/old" of="$raw" bs=1M seek=$at conv=notrunc status=none || fail "old content"
    done
}

# an_image SIZE: make $image of that size, with bytes at its start and then a hole.
an_image()
{
    rm -f "$image"
    dd if="$tmp/bytes" of="$image" bs=3000 count=1 status=none
    truncate -s "$1" "$image"
}

# into WHOLE COMMAND: run the command by a shell, on a disk with old content. WHOLE is "all": no old
# content remains; "over": it remains behind the image; "keep": it also remains in the holes of the
# image.
into()
{
    old_content
    case $1 in
        all) truncate -s 0 "$tmp/wanted" && truncate -s $size "$tmp/wanted" ;;
        *) cp --sparse=never "$raw" "$tmp/wanted" ;;
    esac
    if [ "$1" = keep ]; then
        dd if="$tmp/bytes" of="$tmp/wanted" conv=notrunc status=none
    else
        dd if="$image" of="$tmp/wanted" bs=1M conv=notrunc status=none
    fi
    cd "$tmp" || fail "cd"
    status_=0
    image=$image raw=$raw python=$python sh -c "$2" >"$tmp/said" 2>&1 || status_=$?
    cd / || fail "cd"
    case_="$2 (an image of $(stat -c %s "$image") bytes)"
    if [ $status_ != 0 ]; then
        wrong="$wrong
$case_: exit status $status_: $(tr '\r' '\n' <"$tmp/said" | tail -n 2)"
    elif [ "$(stat -c %s "$raw")" != $size ]; then
        wrong="$wrong
$case_: the size is now $(stat -c %s "$raw")"
    elif ! cmp "$tmp/wanted" "$raw" >"$tmp/said" 2>&1; then
        wrong="$wrong
$case_: another content: $(cat "$tmp/said")"
    fi
}

# shellcheck disable=SC2016 # the shell that runs the tool evaluates them
case $tool in
    cp)
        for end in 4096 1M 41M; do
            an_image $end
            into all 'cp "$image" "$raw"'
            into all 'cp --sparse=always "$image" "$raw"'
            into all 'cp --sparse=never "$image" "$raw"'
        done
        for end in 512 3072 2M 3M; do
            an_image $end
            into all 'cp "$image" "$raw"'
        done
        an_image 64M
        into all 'cp "$image" "$raw"'
        into all 'cp -p --reflink=auto "$image" "$raw"'
        ;;
    busybox)
        an_image 5M
        into all 'busybox cp "$image" "$raw"'
        into all 'busybox dd if="$image" of="$raw" bs=64k'
        into over 'busybox dd if="$image" of="$raw" bs=1M conv=notrunc,fsync'
        into all 'busybox cat "$image" >"$raw"'
        into all 'busybox tee "$raw" <"$image" >/dev/null'
        into all 'busybox truncate -s 0 "$raw" && busybox dd if="$image" of="$raw" conv=notrunc'
        ;;
    dd)
        an_image 5M
        into all 'dd if="$image" of="$raw"'
        into all 'dd if="$image" of="$raw" bs=1M conv=sparse'
        into keep 'dd if="$image" of="$raw" bs=3000 conv=sparse,notrunc'
        into all 'dd if="$image" of="$raw" bs=1M oflag=direct'
        into over 'dd if="$image" of="$raw" bs=1M oflag=direct conv=notrunc'
        into all 'dd if="$image" of="$raw" bs=1M conv=fsync'
        into all 'dd if="$image" of="$raw" bs=1M conv=fdatasync oflag=sync'
        into over 'dd if="$image" of="$raw" bs=12345 conv=notrunc'
        an_image 41M
        into all 'dd if="$image" of="$raw" bs=1M conv=sparse'
        ;;
    rsync)
        an_image 5M
        into all ': >"$raw"; rsync --inplace "$image" "$raw"'
        into all ': >"$raw"; rsync -S --inplace "$image" "$raw"'
        into all ': >"$raw"; rsync --inplace --no-whole-file "$image" "$raw"'
        an_image 64M
        # rsync takes files of the same size and second for equal.
        touch -d 2001-01-01 "$image"
        into over 'rsync --inplace "$image" "$raw"'
        into over 'rsync --inplace --no-whole-file "$image" "$raw"'
        into all ': >"$raw"; rsync -S --inplace "$image" "$raw"'
        ;;
    tar)
        for end in 5M 64M; do
            an_image $end
            into all 'tar -cSf all.tar image && tar -xOf all.tar >"$raw"'
            into over 'tar -cf all.tar image &&
                tar -xOf all.tar | dd of="$raw" bs=1M iflag=fullblock conv=notrunc'
            into all 'tar -cSf all.tar --transform=s/image/raw/ image &&
                tar -xf all.tar --overwrite -C "${raw%/raw}"'
            into all 'tar -cf all.tar --transform=s/image/raw/ image &&
                tar -xf all.tar --overwrite -C "${raw%/raw}"'
        done
        ;;
    cpio)
        an_image 5M
        into all 'echo image | cpio -o -H newc | cpio -i --to-stdout >"$raw"'
        ;;
    zstd)
        for end in 5M 64M; do
            an_image $end
            into all 'zstd -q -f "$image" -o z && zstd -q -d -c z >"$raw"'
            into over 'zstd -q -f "$image" -o z && zstd -q -d -c z |
                dd of="$raw" bs=64k conv=notrunc'
            into all 'zstd -q -f "$image" -o z && : >"$raw" && zstd -q -d -c z 1<>"$raw"'
        done
        ;;
    ddrescue)
        an_image 5M
        into over 'ddrescue --force "$image" "$raw"'
        into all 'ddrescue --force --truncate "$image" "$raw"'
        into all ': >"$raw"; ddrescue --force --sparse "$image" "$raw"'
        into over 'ddrescue --force --odirect "$image" "$raw"'
        ;;
    bmaptool)
        for end in 5M 64M; do
            an_image $end
            into all ': >"$raw"; bmaptool create -o map image && bmaptool copy --bmap map image "$raw"'
            into all ': >"$raw"; bmaptool copy --nobmap image "$raw"'
        done
        ;;
    nbdcopy)
        need_command qemu-nbd
        for end in 5M 64M; do
            an_image $end
            into all 'nbdcopy "$image" "$raw"'
            into all 'nbdcopy -- [ qemu-nbd -r -f raw "$image" ] "$raw"'
            into all 'nbdcopy --synchronous --flush "$image" "$raw"'
        done
        ;;
    qemu-img)
        an_image 64M
        into all 'qemu-img convert -f raw -O raw "$image" "$raw"'
        into all 'qemu-img convert -f raw -O raw -n "$image" "$raw"'
        into all 'qemu-img convert -f raw -O raw -n -t none -T none "$image" "$raw"'
        into all 'qemu-img convert -f raw -O raw -n -W -m 8 "$image" "$raw"'
        into all 'qemu-img convert -q -f raw -O qcow2 "$image" q && : >"$raw" &&
            qemu-img convert -n --target-is-zero -O raw q "$raw"'
        into all 'qemu-img dd -f raw -O raw bs=1M if="$image" of="$raw"'
        an_image 5M
        into all 'qemu-img convert -f raw -O raw "$image" "$raw"'
        into over 'qemu-img convert -f raw -O raw -n "$image" "$raw"'
        ;;
    install)
        # It removes its target and makes another file. That fails, and changes nothing.
        an_image 5M
        into over '! install "$image" "$raw" && dd if="$image" of="$raw" conv=notrunc'
        ;;
    pv)
        an_image 5M
        into all 'pv -q "$image" >"$raw"'
        into all 'cat "$image" | pv -q -B 100000 >"$raw"'
        into over 'pv -q "$image" | dd of="$raw" bs=64k conv=notrunc,fsync'
        ! pv --help | grep -q -e --output || into all 'pv -q -o "$raw" "$image"'
        ;;
    socat)
        an_image 5M
        into all 'socat -u "OPEN:$image,rdonly" "OPEN:$raw,wronly,trunc"'
        into over 'socat -u "FILE:$image,rdonly" "FILE:$raw,wronly"'
        into all ': >"$raw"; socat -u "FILE:$image,rdonly" "FILE:$raw,rdwr"'
        ;;
    python3)
        for end in 5M 64M; do
            an_image $end
            into all '"$python" -I -c "import shutil, sys; shutil.copyfile(*sys.argv[1:])" "$image" "$raw"'
            into all '"$python" -I -c "import shutil, sys; shutil.copy2(*sys.argv[1:])" "$image" "$raw"'
            into all '"$python" -I -c "import pathlib, sys
pathlib.Path(sys.argv[2]).write_bytes(pathlib.Path(sys.argv[1]).read_bytes())" "$image" "$raw"'
        done
        ;;
    *) fail "no tool $tool is known" ;;
esac
[ -z "$wrong" ] || fail "$wrong"
