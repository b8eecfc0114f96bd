#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a tool's copy or backup of a disk would differ from the disk.
#
# Usage: copy-out-of-a-disk-is-exact.sh TOOL
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

tool=$1
need_command "$tool"
start_vhdfs
make_disk d 24
wrong=
noise 3000000 1 >"$tmp/bytes"
truncate -s 24M "$tmp/wanted"
for at in 0 9 21; do
    for file in "$raw" "$tmp/wanted"; do
        dd if="$tmp/bytes" of="$file" bs=1M seek=$at conv=notrunc status=none || fail "dd"
    done
done

# out COMMAND: run by a shell; it copies $raw to $copy.
out()
{
    for state in closed written open; do
        rm -rf "$tmp/copy" "$tmp/work"
        mkdir "$tmp/work"
        exec 3<"$tmp/bytes"
        case $state in
            # The kernel holds unsynced pages of the disk.
            written) dd if="$tmp/bytes" of="$raw" bs=64k conv=notrunc status=none ;;
            open)
                exec 3<>"$raw"
                dd if="$tmp/bytes" bs=5000 count=400 status=none >&3
                ;;
        esac
        (cd "$tmp/work" && raw=$raw copy=$tmp/copy python=$python sh -c "$1" >"$tmp/said" 2>&1)
        status_=$?
        exec 3<&-
        if [ $status_ != 0 ]; then
            wrong="$wrong
$1: exit status $status_: $(tail -n 2 "$tmp/said")"
        elif ! cmp "$tmp/wanted" "$tmp/copy" >"$tmp/said" 2>&1; then
            wrong="$wrong
$1: another content: $(cat "$tmp/said")"
        fi
    done
}

# shellcheck disable=SC2016 # the shell that runs the tool evaluates them
case $tool in
    cp)
        out 'cp "$raw" "$copy"'
        out 'cp -a --sparse=always "$raw" "$copy"'
        out 'cp --sparse=never "$raw" "$copy"'
        ;;
    busybox)
        out 'busybox cp "$raw" "$copy"'
        out 'busybox dd if="$raw" of="$copy" bs=1M'
        out 'busybox tar -cf all.tar -C "${raw%/raw}" raw && busybox tar -xOf all.tar raw >"$copy"'
        ;;
    dd)
        out 'dd if="$raw" of="$copy"  bs=64k'
        out 'dd if="$raw" of="$copy" bs=1M iflag=direct conv=sparse'
        ;;
    rsync)
        out 'rsync "$raw" "$copy"'
        out 'rsync -S "$raw" "$copy"'
        out 'rsync --inplace --no-whole-file "$raw" "$copy"'
        ;;
    tar)
        out 'tar -cSf all.tar -C "${raw%/raw}" raw && tar -xf all.tar && mv raw "$copy"'
        out 'tar -cf - -C "${raw%/raw}" raw | tar -xOf - >"$copy"'
        ;;
    cpio) out 'echo "$raw" | cpio -o -H newc | cpio -i --to-stdout >"$copy"' ;;
    zstd) out 'zstd -q -f "$raw" -o z && zstd -q -d z -o "$copy"' ;;
    ddrescue)
        out 'ddrescue "$raw" "$copy"'
        out 'ddrescue --idirect --sparse "$raw" "$copy"'
        ;;
    nbdcopy)
        need_command qemu-nbd
        out 'nbdcopy "$raw" "$copy"'
        out 'nbdcopy -- [ qemu-nbd -r -f raw "$raw" ] "$copy"'
        ;;
    qemu-img)
        out 'qemu-img convert -U -f raw -O raw "$raw" "$copy"'
        out 'qemu-img convert -U -f raw -O raw -T none -t none "$raw" "$copy"'
        out 'qemu-img dd -U -f raw -O raw bs=1M if="$raw" of="$copy"'
        ;;
    install) out 'install -p -m 600 "$raw" "$copy"' ;;
    pv) out 'pv -q "$raw" >"$copy"' ;;
    socat) out 'socat -u "FILE:$raw,rdonly" "CREATE:$copy"' ;;
    python3)
        out '"$python" -I -c "import shutil, sys; shutil.copyfile(*sys.argv[1:])" "$raw" "$copy"'
        out '"$python" -I -c "import shutil, sys; shutil.copy2(*sys.argv[1:])" "$raw" "$copy"'
        ;;
    *) fail "no tool $tool is known" ;;
esac
[ -z "$wrong" ] || fail "$wrong"
