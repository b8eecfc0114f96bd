#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: mount(8), a service manager or a script could not tell a usage error from an
# unusable store and from a failed mount.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

mkdir "$tmp/there" "$tmp/a"
: >"$tmp/file"

# refused STATUS ARGUMENT...
refused()
{
    wanted=$1
    shift
    got=0
    within 20 "$VHDFS" "$@" >"$tmp/out" 2>"$tmp/said" || got=$?
    if [ "$got" != "$wanted" ]; then
        echo "exit status $got, expected $wanted, of: vhdfs $*: $(cat "$tmp/said")" >&2
        : >"$tmp/wrong"
    fi
    [ -s "$tmp/said" ] || fail "it does not say why: vhdfs $*"
    expect "" "$(cat "$tmp/out")" "standard output of: vhdfs $*"
    is_mounted "$mnt" && fail "mounted: vhdfs $*"
    is_mounted "$tmp/there" && fail "mounted: vhdfs $*"
}

refused 1
refused 1 "$store"
refused 1 "$store" "$mnt" "$tmp/there"
refused 1 "$store" "$mnt" --bogus
refused 1 "$store" "$mnt" -o bogus
refused 1 "$store" "$mnt" -o history=0
refused 1 "$store" "$mnt" -o history=some
refused 1 "$store" "$mnt" -o uid=me
refused 1 "$store" "$mnt" -o gid=
refused 1 "$store" "$mnt" -o umask=9
refused 1 "$store" "$mnt" -o remount
refused 1 "$store" "$mnt" -o remount,ro

refused 2 "$tmp/file" "$mnt"
refused 2 "$tmp/file/store" "$mnt"
refused 2 "$tmp/missing/store" "$mnt"
refused 2 /proc/vhdfs-test "$mnt"
refused 2 "$tmp/missing/store" "$tmp/a"

refused 32 "$tmp/there" "$tmp/file/mnt"
refused 32 "$tmp/there" "$tmp/missing/mnt"

# A valid call works with the store and the mount point of a refused one.
"$VHDFS" "$tmp/there" "$mnt" -o "pidfile=$tmp/pid" || fail "exit status $? of a good call"
end_later "$(cat "$tmp/pid")"
[ ! -e "$tmp/wrong" ] || fail "wrong exit statuses"
