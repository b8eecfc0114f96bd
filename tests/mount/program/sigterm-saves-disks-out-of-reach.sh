#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a shutdown would lose the bytes that a program has stored in a mapping, where
# vhdfs itself cannot open the disk by its path any more.
#
# Usage: sigterm-saves-disks-out-of-reach.sh mode|parent|renamed|replaced|user
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
way=$1

if [ "$way" = user ]; then
    # Without allow_other the daemon may not enter its own mount; with uid= it owns no disk.
    need_root
    id nobody >/dev/null 2>&1 || skip "needs a user nobody"
    chmod 755 "$tmp"
    cp "$VHDFS" "$tmp/vhdfs"
    VHDFS=$tmp/vhdfs
    mkdir "$tmp/home"
    chown nobody "$tmp/home"
    store=$tmp/home/store
    start_vhdfs user=nobody uid=12345 umask=077
else
    start_vhdfs
fi
make_disk base 40
if [ "$way" = parent ]; then
    make_disk d parent=base
else
    make_disk d 40
fi
saved=d
cat >"$tmp/program" <<'END'
import mmap, os, sys, time
raw, pages = sys.argv[1], int(sys.argv[2])
fd = os.open(raw, os.O_RDWR)
# The blocks are there already: an image under another name does not grow.
os.pwrite(fd, b"x" * (pages * 4096), 0)
os.fsync(fd)
view = mmap.mmap(fd, 32 << 20)
for page in range(pages):
    view[page * 4096:page * 4096 + 5] = b"dirty"
print("stored", flush=True)
time.sleep(600)
END
behind "$python" -I -S "$tmp/program" "$raw" 1000 >"$tmp/said"
writer=$!
wait_until 20 [ -s "$tmp/said" ]
case $way in
    mode) chmod 200 "$store/d.vhd" ;;
    parent) touch "$store/base.vhd" ;;
    renamed | replaced)
        mv "$store/d.vhd" "$store/other.vhd"
        saved=other
        ;;
esac
if [ "$way" = replaced ]; then
    make_disk d 40
    behind "$python" -I -S "$tmp/program" "$raw" 10 >"$tmp/said2"
    second=$!
    wait_until 20 [ -s "$tmp/said2" ]
fi
kill "$daemon"
wait_until 20 is_not_mounted "$mnt"
# A second signal ends it although the writer still runs.
kill "$daemon"
wait_until 20 has_ended "$daemon"
wait_until 20 [ ! -e "$tmp/pid" ]
kill -KILL "$writer" ${second+"$second"}
wait_until 20 has_ended "$writer"
! is_sanitized || ! grep 'may be lost' "$tmp/log" || fail "it says that bytes are lost"

[ "$way" != mode ] || chmod 600 "$store/d.vhd"
start_vhdfs
stored()
{
    grep -ao dirty "$mnt/disks/$1/raw" | wc -l
}
expect 1000 "$(stored $saved)" "pages that were stored"
[ "$way" != replaced ] || expect 10 "$(stored d)" "pages that were stored in the new disk"
stop_vhdfs
