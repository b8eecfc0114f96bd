#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a store or mount point with a blank, a comma or a quote in its path would not
# work, or vhdfs would mount another folder.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

# shellcheck disable=SC2016 # nothing is to be expanded
for name in 'a b' 'a,b' 'a,ro' "it's" 'a"b' 'a\b' 'a\,b' 'a=b' -a ä 'a#b' '$a'; do
    mkdir "$tmp/in" || exit 1
    (cd "$tmp/in" && "$VHDFS" "./$name" "./m$name" -o "pidfile=$tmp/pid" 2>"$tmp/said") ||
        fail "exit status $? with \"$name\": $(cat "$tmp/said")"
    daemon=$(cat "$tmp/pid")
    end_later "$daemon"
    expect "done" "$(answer "$tmp/in/m$name/new/d" 40)" "making a disk in \"$name\""
    [ -f "$tmp/in/$name/d.vhd" ] || fail "no image in \"$name\""
    expect "$tmp/in/$name/d.vhd" "$(cat "$tmp/in/m$name/disks/d/path")" "path of the disk"
    kill "$daemon"
    wait_until 20 has_ended "$daemon"
    [ -e "$tmp/in/m$name/version" ] && fail "\"m$name\" is still mounted"
    rm -r "$tmp/in"
done
