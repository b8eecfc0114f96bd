#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: vhdfs would put its tree over a file, where nobody can enter it.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

echo precious >"$tmp/file"
mkfifo "$tmp/fifo"
ln -s nowhere "$tmp/link"
for path in "$tmp/file" "$tmp/fifo" "$tmp/link"; do
    got=0
    within 20 "$VHDFS" "$store" "$path" -o "pidfile=$tmp/pid" 2>"$tmp/said" || got=$?
    expect 32 "$got" "exit status with a mount point that is ${path##*/}"
    [ -s "$tmp/said" ] || fail "it does not say why"
    is_mounted "$path" && fail "mounted over ${path##*/}"
done
expect precious "$(cat "$tmp/file")" "the file"
