#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: an image from another program would read differently through the mount. Or a
# damaged one would open, or not show its fault.
#
# The good and the bad images of the corpus are mounted as two stores. Nothing in them may change.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

export CORPUS="$here/../corpus"
export PYTHONDONTWRITEBYTECODE=1

# state: everything about the files of the store except the times of reading
state()
{
    find "$store" -mindepth 1 -not -name '.vhdfs-*' -printf '%P %i %s %T@ %C@ %y\n' | sort
}

"$python" "$CORPUS/make.py" "$tmp/corpus" || fail "the corpus cannot be made"
for kind in good bad; do
    store=$tmp/corpus/$kind
    state >"$tmp/before"
    start_vhdfs
    "$python" "$here/corpus.py" "$mnt" "$kind" || fail "$kind images"
    stop_vhdfs
    state >"$tmp/after"
    cmp "$tmp/before" "$tmp/after" || fail "$kind images have changed: $(diff "$tmp/before" "$tmp/after")"
done
