#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: vhdfs would make a missing store or mount point only for some kinds of paths. Or
# it would make one inside the other, where nobody would see it.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

mkdir "$tmp/sub"
ln -s "$tmp" "$tmp/link"
cd "$tmp/sub" || exit 1

for path in s ./s ../sub/s ../link/sub/s "$tmp/sub/s" "$tmp/link/sub/s" "$tmp/sub/../sub/s"; do
    for other in "../other" "$tmp/other"; do
        "$VHDFS" "$path" "$other" -o "pidfile=$tmp/pid" || fail "exit status $? with STORE $path"
        read -r daemon <"$tmp/pid"
        undo "end_daemon $daemon '$tmp/other' $(birth "$daemon")"
        expect "$tmp/sub/s" "$(findmnt -n -o SOURCE "$tmp/other")" "the source with STORE $path"
        kill "$daemon"
        wait_until 20 has_ended "$daemon"
        rm -r "$tmp/sub/s" "$tmp/other"

        "$VHDFS" "$other" "$path" -o "pidfile=$tmp/pid" ||
            fail "exit status $? with MOUNTPOINT $path"
        read -r daemon <"$tmp/pid"
        undo "end_daemon $daemon '$tmp/sub/s' $(birth "$daemon")"
        is_mounted "$tmp/sub/s" || fail "$path was not mounted on"
        kill "$daemon"
        wait_until 20 has_ended "$daemon"
        rm -r "$tmp/sub/s" "$tmp/other"
    done
done

for paths in "$tmp/link/sub/s $tmp/sub" "$tmp/sub $tmp/link/sub/s" "s ." ". s" \
    "../link/sub/s $tmp/sub"; do
    got=0
    # shellcheck disable=SC2086
    within 20 "$VHDFS" $paths 2>"$tmp/said" || got=$?
    expect 1 "$got" "exit status of: vhdfs $paths"
    grep -q 'inside the other' "$tmp/said" || fail "vhdfs $paths says: $(cat "$tmp/said")"
done
[ ! -e "$tmp/sub/s" ] || fail "it was made all the same"
