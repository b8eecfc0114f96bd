#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a request from a file, or from another tool than a shell, would make no disk, or
# the tool would report a failure.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
printf '40\n' >"$tmp/request"

# makes NAME COMMAND...: the command gets the request on standard input and makes the disk.
makes()
{
    name=$1
    shift
    "$@" <"$tmp/request" >/dev/null || fail "exit status $? of: $*"
    expect 40 "$(cat "$mnt/disks/$name/size")" "size of $name"
}

in_python()
{
    name=$1
    shift
    "$python" -I -S -c "$1" "$tmp/request" "$mnt/new/$name" || fail "exit status $? of python: $1"
    expect 40 "$(cat "$mnt/disks/$name/size")" "size of $name"
}

makes tee tee "$mnt/new/tee"
makes tee-a tee -a "$mnt/new/tee-a"
makes cp cp "$tmp/request" "$mnt/new/cp"
makes cp-p cp -p "$tmp/request" "$mnt/new/cp-p"
makes cp-a cp -a "$tmp/request" "$mnt/new/cp-a"
makes dd dd "of=$mnt/new/dd" status=none
makes dd-fsync dd "of=$mnt/new/dd-fsync" conv=notrunc,fsync oflag=append status=none
makes install install "$tmp/request" "$mnt/new/install"
makes install-m install -p -m 600 "$tmp/request" "$mnt/new/install-m"
makes sed sed -n "w $mnt/new/sed"
makes awk awk "{ print > \"$mnt/new/awk\" }"

cp "$tmp/request" "$tmp/moved"
makes mv mv "$tmp/moved" "$mnt/new/mv"
[ ! -e "$tmp/moved" ] || fail "mv has left the source"

in_python write 'import sys; open(sys.argv[2], "w").write("40\n")'
in_python print 'import sys; print(40, file=open(sys.argv[2], "w"))'
in_python unbuffered 'import sys; open(sys.argv[2], "wb", 0).write(b"40")'
in_python path 'import pathlib, sys; pathlib.Path(sys.argv[2]).write_text("40")'
in_python copy 'import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])'
in_python copy2 'import shutil, sys; shutil.copy2(sys.argv[1], sys.argv[2])'
in_python rw 'import os, sys; os.write(os.open(sys.argv[2], os.O_RDWR | os.O_CREAT), b"40")'
in_python sync 'import os, sys
os.write(os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_SYNC), b"40")'

if command -v busybox >/dev/null; then
    makes busybox-cp busybox cp "$tmp/request" "$mnt/new/busybox-cp"
    makes busybox-dd busybox dd "of=$mnt/new/busybox-dd" status=none
    makes busybox-tee busybox tee "$mnt/new/busybox-tee"
fi
if command -v rsync >/dev/null; then
    makes rsync rsync --inplace "$tmp/request" "$mnt/new/rsync"
fi
expect "" "$(cat "$mnt/errors")" "refusals"

# The names are free again after their disks were deleted or refused.
rmdir "$mnt/disks/install" "$mnt/disks/cp" "$mnt/disks/mv"
makes install install "$tmp/request" "$mnt/new/install"
makes cp cp "$tmp/request" "$mnt/new/cp"
cp "$tmp/request" "$tmp/moved"
makes mv mv "$tmp/moved" "$mnt/new/mv"
