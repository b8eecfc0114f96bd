#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a copy or a compact of a large disk would push all else out of the host's cache,
# for data that is read once.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

# A file system on a device of its own, because nothing of tmpfs or overlayfs leaves the memory.
loop_mount 700 "$tmp/host" mkfs.ext4 -q
store=$tmp/host/store
start_vhdfs
make_disk d 200
head -c 128M /dev/urandom | dd of="$mnt/disks/d/raw" bs=1M conv=notrunc,fsync status=none

# cached [forget] FILE: how many pages of a thousand are in memory
cached()
{
    "$python" -I -S "$here/cached.py" "$@"
}

# forget NAME: nothing of its image is in memory
forget()
{
    sync -f "$store"
    left=$(cached forget "$store/$1.vhd")
    [ "$left" -le 20 ] || fail "$left pages of a thousand of $1 cannot be dropped"
}

# spares NAME TASK: the task has left little of its image in memory
spares()
{
    count=$(cached "$store/$1.vhd")
    [ "$count" -le 100 ] || fail "$2: $count pages of a thousand of $1 are in memory"
}

for kind in dynamic fixed; do
    forget d
    make_long "$kind" "from=d type=$kind"
    spares d "from= $kind"
    rmdir "$mnt/disks/$kind"
done
forget d
verb d compact
spares d compact
