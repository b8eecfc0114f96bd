#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: with allow_other any user could read a disk whose image is private, or an owner
# could not read his own disk. And chmod of a disk would protect nothing.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root
need_command setpriv
chmod 755 "$tmp"

# as UID COMMAND...
as()
{
    as_uid=$1
    shift
    setpriv --reuid="$as_uid" --regid="$as_uid" --clear-groups "$@"
}

# shows PATH OWNER_AND_MODE
shows()
{
    expect "$2" "$(stat -c '%u %g %a' "$mnt/disks/$1")" "owner and mode of $1"
}

# image NAME: owner and mode of the image
image()
{
    stat -c '%u %g %a' "$store/$1.vhd"
}

umask 022
start_vhdfs allow_other
for name in mine his shared; do
    make_disk $name 8
done
shows mine/raw "0 0 644"
chmod 600 "$store/mine.vhd"
chown 1234:1234 "$store/his.vhd"
chmod 640 "$store/his.vhd"
chown 0:1234 "$store/shared.vhd"
chmod 2775 "$store/shared.vhd"

for file in raw:600 fixed.vhd:400 info:400 info.json:400 size:400 path:400; do
    shows "mine/${file%:*}" "0 0 ${file#*:}"
done
for file in raw:640 fixed.vhd:440 info:440 uuid:440; do
    shows "his/${file%:*}" "1234 1234 ${file#*:}"
done
shows shared/raw "0 1234 664"
shows shared/fixed.vhd "0 1234 444"
for folder in mine his shared; do
    shows $folder "0 0 755"
done

# A user reads only disks that the modes of the images allow.
for file in raw fixed.vhd info info.json size type uuid parent geometry used path; do
    as 1234 cat "$mnt/disks/mine/$file" >"$tmp/shown" 2>&1 && fail "he reads mine/$file"
    as 1234 cat "$mnt/disks/his/$file" >"$tmp/shown" || fail "he cannot read his/$file"
    as 4321 cat "$mnt/disks/his/$file" >"$tmp/shown" 2>&1 && fail "a stranger reads his/$file"
    as 4321 cat "$mnt/disks/shared/$file" >"$tmp/shown" || fail "a stranger cannot read shared/$file"
done
as 1234 sh -c "echo x >>'$mnt/disks/mine/raw'" 2>/dev/null && fail "he writes to mine"
as 4321 sh -c "echo x 1<>'$mnt/disks/shared/raw'" 2>/dev/null && fail "a stranger writes to shared"
as 1234 sh -c "echo x 1<>'$mnt/disks/his/raw'" || fail "he cannot write to his"
as 1234 sh -c "echo x 1<>'$mnt/disks/shared/raw'" || fail "his group cannot write to shared"

# chmod and chown of raw change the image, and keep its other bits.
as 4321 chmod 666 "$mnt/disks/his/raw" 2>/dev/null && fail "a stranger has changed his mode"
as 4321 chgrp 4321 "$mnt/disks/his/raw" 2>/dev/null && fail "a stranger has changed his group"
as 1234 chown 4321 "$mnt/disks/his/raw" 2>/dev/null && fail "he has given it away"
expect "1234 1234 640" "$(image his)" "his image"
as 1234 chmod 606 "$mnt/disks/his/raw" || fail "the owner cannot change the mode"
expect "1234 1234 606" "$(image his)" "his image after chmod"
shows his/raw "1234 1234 606"
as 1234 chmod 7777 "$mnt/disks/his/raw" || fail "chmod 7777"
expect "1234 1234 666" "$(image his)" "his image after chmod 7777"
chmod 700 "$mnt/disks/shared/raw" || fail "chmod of shared"
expect 2711 "$(stat -c %a "$store/shared.vhd")" "mode of shared"
shows shared/raw "0 1234 600"
chown 1234:4321 "$mnt/disks/mine/raw" || fail "chown"
expect "1234 4321 600" "$(image mine)" "my image after chown"
chgrp 1234 "$mnt/disks/mine/raw" || fail "chgrp"
expect "1234 1234 600" "$(image mine)" "my image after chgrp"
as 1234 head -c 1 "$mnt/disks/mine/raw" >"$tmp/shown" || fail "the new owner cannot read"
chmod 644 "$mnt/disks/mine/fixed.vhd" 2>/dev/null && fail "chmod of fixed.vhd"
shows mine/fixed.vhd "1234 1234 400"

# The same for an open disk with cached pages. Our own change does not count as one by others.
printf 'kept' 1<>"$mnt/disks/mine/raw"
exec 3<>"$mnt/disks/mine/raw"
chmod 640 "$mnt/disks/mine/raw" || fail "chmod of an open disk"
printf 'more' >&3 || fail "the open file"
expect "640 600" "$(stat -c %a "$store/mine.vhd") $(chmod 600 "/proc/self/fd/3" && stat -L -c %a /proc/self/fd/3)" \
    "mode by the name, and by the open file"
exec 3>&-
expect more "$(head -c 4 "$mnt/disks/mine/raw")" "content"
stop_vhdfs

# The options apply to all disks, and then a change is refused. Setting the same mode succeeds.
start_vhdfs allow_other umask=027
shows mine/raw "1234 1234 640"
shows mine/fixed.vhd "1234 1234 440"
shows mine/info "1234 1234 440"
chmod 640 "$mnt/disks/mine/raw" || fail "chmod to what is so"
chmod 600 "$mnt/disks/mine/raw" 2>"$tmp/said" && fail "chmod under umask="
grep -q 'Operation not permitted' "$tmp/said" || fail "chmod says: $(cat "$tmp/said")"
tail -n 1 "$mnt/errors" | grep -q ' disks/mine/raw EPERM E_NOT_SUPPORTED .*umask=' ||
    fail "errors: $(tail -n 1 "$mnt/errors")"
stop_vhdfs
start_vhdfs allow_other uid=1 gid=2
shows mine/raw "1 2 600"
shows shared/info "1 2 400"
chown 3 "$mnt/disks/mine/raw" 2>/dev/null && fail "chown under uid="
tail -n 1 "$mnt/errors" | grep -q ' disks/mine/raw EPERM E_NOT_SUPPORTED .*uid=' ||
    fail "errors: $(tail -n 1 "$mnt/errors")"
expect "1234 1234 600" "$(image mine)" "my image"
stop_vhdfs

# If the daemon has no permission, chmod gets the error of the host.
chown 65534 "$store" "$store"/.vhdfs-lock
start_vhdfs allow_other user=nobody
chown 0:0 "$store/his.vhd"
chmod 600 "$mnt/disks/his/raw" 2>"$tmp/said" && fail "chmod of what is root's, by nobody's daemon"
grep -q 'Operation not permitted' "$tmp/said" || fail "chmod says: $(cat "$tmp/said")"
tail -n 1 "$mnt/errors" | grep -q ' disks/his/raw EPERM ' || fail "errors: $(tail -n 1 "$mnt/errors")"
