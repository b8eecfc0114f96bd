#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: two machines could write to the same disk through sshfs, and neither would see the
# other's lock.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

[ -x "${BARE-}" ] || skip "needs the tool bare"
mkdir "$store"

# serve TYPE: mount a file system of that type over the store
serve()
{
    "$BARE" "$store" "$1" &
    bare=$!
    kill_later "$bare"
    wait_until 20 is_mounted "$store"
}

stop_serving()
{
    kill "$bare"
    wait_until 20 has_ended "$bare"
    wait_until 20 is_not_mounted "$store"
}

# refused ARGUMENT...
refused()
{
    got=0
    "$VHDFS" "$store" "$mnt" "$@" 2>"$tmp/said" || got=$?
    expect 2 "$got" "exit status of vhdfs $*: $(cat "$tmp/said")"
    is_not_mounted "$mnt" || fail "mounted all the same"
}

for type in sshfs rclone; do
    serve $type
    for options in rw "history=5,rw"; do
        refused -o $options
        grep -q "on fuse\.$type.*lock.*-o unsafe_store" "$tmp/said" ||
            fail "it says: $(cat "$tmp/said")"
        expect 1 "$(wc -l <"$tmp/said")" "lines of what it says"
    done

    # unsafe_store skips this check. The start still fails, because the store is read-only.
    refused -o unsafe_store
    grep -q unsafe_store "$tmp/said" && fail "in spite of unsafe_store: $(cat "$tmp/said")"
    grep -q 'read-only file system' "$tmp/said" || fail "it says: $(cat "$tmp/said")"

    # Reading is allowed.
    for options in ro "ro,unsafe_store"; do
        start_vhdfs "$options"
        expect "" "$(ls "$mnt/disks")" "the disks of a $type"
        expect "open EROFS" "$(answer "$mnt/new/d" 40)" "making a disk on a $type"
        stop_vhdfs
    done
    stop_serving
done

# The advice is for sshfs alone.
for type in sshfs2 ssh other; do
    serve $type
    refused -o rw
    grep -q unsafe_store "$tmp/said" && fail "of $type it says: $(cat "$tmp/said")"
    stop_serving
done
start_vhdfs unsafe_store
echo 40 >"$mnt/new/d" || fail "cannot make a disk in a store that is safe"
