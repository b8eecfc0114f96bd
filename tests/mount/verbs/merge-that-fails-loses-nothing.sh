#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a merge that is refused, cancelled, killed, or meets a full host, would change the
# parent, or lose the child.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

loop_mount 150 "$tmp/host" mkfs.ext4 -q
store=$tmp/host/store
start_vhdfs
noise 30000000 1 >"$tmp/noise"
make_disk base 60
dd if="$tmp/noise" of="$raw" bs=1M skip=3 conv=notrunc,fsync status=none
make_disk child parent=base
dd if="$tmp/noise" of="$raw" bs=1M conv=notrunc,fsync status=none
# A disk that was just closed may still be open for a moment.
wait_until 10 sh -c "cat '$mnt/disks/child/raw' >/dev/null"
base=$(cksum <"$mnt/disks/base/raw")
child=$(cksum <"$mnt/disks/child/raw")

# unchanged WHAT: both disks hold what they held, and the child finds its parent unchanged
unchanged()
{
    expect "$base" "$(cksum <"$mnt/disks/base/raw")" "the parent after $1"
    expect "$child" "$(cksum <"$mnt/disks/child/raw")" "the child after $1"
    expect - "$(value "$mnt/disks/child/info" fault)" "remarks on the chain after $1"
}

# In use, here or as a parent.
verb_fails base merge 'EOPNOTSUPP VM_E_WRONG_HD_IMAGE_TYPE'
exec 3<"$mnt/disks/child/raw"
verb_fails child merge 'EBUSY E_SHARING_VIOLATION'
exec 3>&-
exec 3<"$mnt/disks/base/raw"
verb_fails child merge 'EBUSY E_SHARING_VIOLATION'
exec 3>&-
make_disk other parent=base
verb_fails child merge 'EBUSY E_SHARING_VIOLATION .*2 differencing disks'
rmdir "$mnt/disks/other"
unchanged "a refusal"

# A full host.
dd if=/dev/zero of="$tmp/host/filler" bs=1M status=none 2>/dev/null
echo merge >"$mnt/disks/child/ctl" || fail "refused: $(tail -n 1 "$mnt/errors")"
expect failed "$(cat "$mnt/tasks/child/wait")" "the outcome on a full host"
expect ENOSPC "$(cat "$mnt/tasks/child/errno")" "errno on a full host"
rm "$tmp/host/filler"
unchanged "a full host"

# A cancel, and a kill, at several times.
for ms in 00 01 03 05 10; do
    echo merge >"$mnt/disks/child/ctl" || fail "refused: $(tail -n 1 "$mnt/errors")"
    sleep "0.$ms"
    echo 1 2>/dev/null >"$mnt/tasks/child/cancel" || :
    case $(cat "$mnt/tasks/child/wait") in
        cancelled) unchanged "a cancel" ;;
        completed) break ;;
        *) fail "a cancel: $(cat "$mnt/tasks/child/error")" ;;
    esac
done
[ ! -e "$mnt/disks/child" ] || for ms in 00 01 03 05 10; do
    echo merge >"$mnt/disks/child/ctl" || fail "refused: $(tail -n 1 "$mnt/errors")"
    sleep "0.$ms"
    kill_vhdfs
    start_vhdfs
    [ -e "$mnt/disks/child" ] || break
    expect "$child" "$(cksum <"$mnt/disks/child/raw")" "the child after a kill"
done
[ ! -e "$mnt/disks/child" ] || verb child merge
expect "$child" "$(cksum <"$mnt/disks/base/raw")" "the parent at the end"
stop_vhdfs
