#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a daemon that runs as one user would have root's rights, make files of another
# owner, or leave files behind.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root
need_command setpriv
user=nobody
uid=$(id -u $user 2>/dev/null) || skip "needs a user $user"
gid=$(id -g $user)
chmod 755 "$tmp"
cp "$VHDFS" "$tmp/vhdfs"
mkdir "$tmp/home"
chown "$uid:$gid" "$tmp/home"
store=$tmp/home/store

as_user()
{
    setpriv "--reuid=$uid" "--regid=$gid" --init-groups "$@"
}

for end in TERM umount KILL; do
    start_vhdfs user=$user allow_other
    for key in Uid Gid; do
        [ $key = Uid ] && id=$uid || id=$gid
        expect "$key $id $id $id $id" \
            "$(grep "^$key:" "/proc/$daemon/status" | tr -d : | tr '\t' ' ')" "its $key"
    done
    expect "$(id -G $user)" "$(sed -n 's/^Groups:[[:space:]]*//p' "/proc/$daemon/status" |
        tr ' ' '\n' | grep . | sort -n | paste -sd ' ')" "its groups"
    expect "0" "$(sed -n 's/^Cap\(Eff\|Prm\|Inh\|Amb\):[[:space:]]*0*/0/p' \
        "/proc/$daemon/status" | sort -u)" "its capabilities"

    # The user owns everything there and can work.
    expect "$uid $gid" "$(stat -c '%u %g' "$store" "$store/.vhdfs-lock" | sort -u)" \
        "owner of the store"
    as_user sh -c "echo 40 >'$mnt/new/his'" || fail "the user cannot make a disk"
    echo 40 >"$mnt/new/roots" || fail "root cannot make a disk"
    expect "$uid $gid" "$(stat -c '%u %g' "$store/his.vhd" "$store/roots.vhd" | sort -u)" \
        "owner of the images"
    expect "$uid $gid" "$(find "$mnt" -printf '%U %G\n' | sort -u)" "owner of what is in the tree"
    as_user mv "$mnt/disks/his" "$mnt/disks/moved" || fail "the user cannot rename a disk"
    as_user rmdir "$mnt/disks/moved" "$mnt/disks/roots" || fail "the user cannot delete disks"
    expect "$daemon" "$(cat "$tmp/pid")" "the pid file"
    case $end in
        TERM) stop_vhdfs ;;
        umount)
            umount "$mnt" || fail "cannot unmount"
            daemon_ends
            ;;
        KILL)
            kill -KILL "$daemon"
            wait_until 20 has_ended "$daemon"
            wait_until 20 is_not_mounted "$mnt"
            wait_until 20 [ ! -e "$tmp/pid" ]
            ;;
    esac
done

# The daemon has the rights of that user, and not those of root.
start_vhdfs user=$user allow_other
chown 0:0 "$store"
expect "write EACCES" "$(answer "$mnt/new/d" 40)" "making a disk in a store that became root's"
chown "$uid:$gid" "$store"
expect "done" "$(answer "$mnt/new/d" 40)" "making a disk in his store"
as_user kill "$daemon" || fail "the user cannot end it"
daemon_ends

# refused STATUS WORD COMMAND...
refused()
{
    wanted=$1 word=$2 got=0
    shift 2
    "$@" 2>"$tmp/said" || got=$?
    expect "$wanted" "$got" "exit status of $*: $(cat "$tmp/said")"
    grep -q "$word" "$tmp/said" || fail "$* says: $(cat "$tmp/said")"
    is_not_mounted "$mnt" || fail "mounted by $*"
}

mkdir "$tmp/roots"
mkdir -m 700 "$tmp/secret"
refused 1 'nosuchuser: there is no such user' "$tmp/vhdfs" "$store" "$mnt" -o user=nosuchuser
refused 1 'no such user' "$tmp/vhdfs" "$store" "$mnt" -o user=
refused 2 'Permission denied' "$tmp/vhdfs" "$tmp/roots" "$mnt" -o "user=$user"
refused 2 'Permission denied' "$tmp/vhdfs" "$tmp/secret/store" "$mnt" -o "user=$user"
refused 1 'only root' as_user "$tmp/vhdfs" "$store" "$mnt" -o user=root
refused 1 'only root' as_user "$tmp/vhdfs" "$store" "$mnt" -o user=daemon
refused 1 'no such user' as_user "$tmp/vhdfs" "$store" "$mnt" -o user=nosuchuser
expect "" "$(find "$tmp/roots" "$tmp/secret" -mindepth 1)" "what is in root's folders"

# A user may give their own name.
refused 2 'roots' as_user "$tmp/vhdfs" "$tmp/roots" "$mnt" -o "user=$user"

# uid= and gid= still apply, and root may be named.
start_vhdfs user=$user uid=12 gid=34
expect "12 34" "$(stat -c '%u %g' "$mnt/new")" "owner that was given"
stop_vhdfs
store=$tmp/roots
start_vhdfs user=root
echo 40 >"$mnt/new/d" || fail "cannot make d"
expect "0 0" "$(stat -c '%u %g' "$mnt/disks/d" "$store/d.vhd" | sort -u)" "owner with user=root"
stop_vhdfs
