#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: mkfs.fat would run as root for a daemon that has given up root's rights, or see
# files of the daemon or its helper.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root
need_command mkfs.fat
user=nobody
uid=$(id -u $user 2>/dev/null) || skip "needs a user $user"
gid=$(id -g $user)
chmod 755 "$tmp"
mkdir -m 777 "$tmp/bin" "$tmp/home"
cat >"$tmp/bin/mkfs.fat" <<END
#!/bin/sh
id -ru >"$tmp/home/said"
for key in Uid Gid CapEff; do sed -n "s/^\$key:[[:space:]]*//p" /proc/self/status; done \
    >>"$tmp/home/said"
open= # but for the script itself, which the shell has open
for fd in /proc/\$\$/fd/*; do
    case \$fd in */fd/10 | */fd/255) ;; *) [ ! -e "\$fd" ] || open="\$open \${fd##*/}" ;; esac
done
echo \$open >"$tmp/home/open"
exec /usr/bin/env PATH=/usr/sbin:/sbin:/usr/bin:/bin mkfs.fat "\$@"
END
chmod +x "$tmp/bin/mkfs.fat"
export PATH="$tmp/bin:$PATH"
store=$tmp/home/store

start_vhdfs user=$user allow_other
make_long d '512 format=fat16 label=DATA'
expect "$uid" "$(sed -n 1p "$tmp/home/said")" "the user of mkfs.fat"
expect "$uid $uid $uid $uid" "$(sed -n 2p "$tmp/home/said" | tr '\t' ' ')" "its users"
expect "$gid $gid $gid $gid" "$(sed -n 3p "$tmp/home/said" | tr '\t' ' ')" "its groups"
expect 0000000000000000 "$(sed -n 4p "$tmp/home/said")" "its capabilities"
expect "0 1 2 3" "$(cat "$tmp/home/open")" "its descriptors"
expect "$uid $gid" "$(stat -c '%u %g' "$store/d.vhd")" "the owner of the disk"
stop_vhdfs
