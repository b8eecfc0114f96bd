#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user who types the examples of the manual page in order would get stuck.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root
need_command mkfs.ext4 fuse2fs fusermount3 losetup
need_own_mounts
[ -e /dev/loop-control ] || skip "needs loop devices"
page=$here/../../fs/vhdfs.1
[ -f "$page" ] || skip "needs the manual page"

# The literal blocks of the section, and the line for fstab.
cat >"$tmp/program" <<'END'
import re, sys

page, out = sys.argv[1:]
examples = re.search(r"^\.Sh EXAMPLES\n(.*?)^\.Sh ", open(page).read(), re.M | re.S).group(1)
for i, text in enumerate(re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", examples, re.M | re.S)):
    open(f"{out}/example.{i}", "w").write(text.replace(r"\-", "-").replace(r"\e", "\\"))
open(f"{out}/fstab", "w").write(re.search(r"^\.Dl (/.*\n)", examples, re.M).group(1))
END
"$python" -I -S "$tmp/program" "$page" "$tmp" || fail "the page has no examples"

# In a mount namespace, /mnt and the home are ours. If an example fails, the daemon ends with the
# shell that runs it.
export HOME="$tmp/home"
mkdir "$HOME" "$tmp/bin"
cp "$VHDFS" "$tmp/bin/vhdfs"
cat >"$tmp/all" <<'END'
set -eu
mount -t tmpfs tmpfs /mnt
mount --bind "$tmp/bin" /usr/local/bin # mount searches there
trap 'umount -l /mnt/disk2 /mnt/vhdfs ~/disk1 2>/dev/null || :' EXIT

# fuse2fs still writes for a while after its mount is gone.
is_closed()
{
    ! readlink /proc/[0-9]*/fd/* | grep -qx '/mnt/vhdfs/disks/.*/raw'
}

examples=0
for file in "$tmp"/example.*; do
    echo "example: $file"
    . "$file"
    wait_until 20 is_closed
    examples=$((examples + 1))
done
expect 4 "$examples" "examples"
expect "" "$(ls ~/disks)" "what is left in the store"

mkdir /mnt/srv
sed "s,^/srv,/mnt/srv," "$tmp/fstab" >/mnt/fstab
mount -T /mnt/fstab /mnt/vhdfs
ls /mnt/vhdfs/version
umount /mnt/vhdfs
END
cat >"$tmp/inside" <<END
tmp_=\$tmp
. "$here/../functions.sh"
rm -rf "\$tmp"
tmp=\$tmp_
trap - EXIT
forget_other_mounts
. "$tmp/all"
END
export tmp
PATH=/usr/local/bin:$PATH unshare --mount --propagation private sh "$tmp/inside" >"$tmp/said" 2>&1 ||
    fail "status $?: $(cat "$tmp/said")"
grep -q '^state completed' "$tmp/said" || fail "no status is shown: $(cat "$tmp/said")"
