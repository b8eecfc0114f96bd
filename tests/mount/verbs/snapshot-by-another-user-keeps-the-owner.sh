#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user would lose a disk to root by a snapshot, or another user could have verbs
# done to it.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root
need_command setpriv
chmod 755 "$tmp"
start_vhdfs allow_other
make_disk d 16
echo mine | dd of="$raw" conv=notrunc,fsync status=none
chown 65534:65534 "$store/d.vhd"
chmod 600 "$store/d.vhd"

# as UID WORDS: this user has a verb done
as()
{
    setpriv --reuid="$1" --regid="$1" --clear-groups sh -c "echo $2 >'$mnt/disks/d/ctl'" 2>/dev/null
}

as 1234 'snapshot his' && fail "another user makes a snapshot"
[ ! -e "$store/his.vhd" ] || fail "another user's snapshot is there"
as 65534 'snapshot s' || fail "the owner is refused: $(tail -n 1 "$mnt/errors")"
for name in d s; do
    expect "65534 65534 600" "$(stat -c '%u %g %a' "$store/$name.vhd")" "owner and mode of $name"
    expect mine "$(as_nobody head -c 4 "$mnt/disks/$name/raw")" "the owner's view of $name"
    setpriv --reuid=1234 --regid=1234 --clear-groups cat "$mnt/disks/$name/raw" >/dev/null 2>&1 &&
        fail "another user reads $name"
done
mv "$store/s.vhd" "$store/t.vhd"
as 1234 'rebase t' && fail "another user rebases"
as 65534 'rebase t' || fail "the owner is refused: $(tail -n 1 "$mnt/errors")"
expect "65534 65534 600" "$(stat -c '%u %g %a' "$store/d.vhd")" "owner and mode after a rebase"
expect mine "$(as_nobody head -c 4 "$mnt/disks/d/raw")" "the owner's view after a rebase"
