#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a search or a backup that walks the tree would hang while a disk is being made.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/frozen.sh
. "$(dirname "$0")/../frozen.sh"

start_vhdfs
echo 4 >"$mnt/new/before" || fail "cannot make a disk"
freeze
make_behind d
maker=$!

# ends COMMAND...
ends()
{
    within 20 "$@" >"$tmp/shown" 2>"$tmp/said" || fail "exit status $? of: $*: $(cat "$tmp/said")"
}

ends grep -r running "$mnt"
grep -q "$mnt/tasks/d/state:running" "$tmp/shown" || fail "grep -r has not found the task"
grep -q "$mnt/new/d:state running" "$tmp/shown" || fail "grep -r has not found the request"
ends cp -r "$mnt" "$tmp/copy"
[ -f "$tmp/copy/tasks/d/status" ] || fail "cp -r has left out the task"
ends tar -cf "$tmp/tar" -C "$mnt" .
ends find "$mnt" -type f -exec cat {} +
ends ls -lR "$mnt"
ends du -a "$mnt"
ends "$python" -I -S -c 'import os, sys
for above, folders, files in os.walk(sys.argv[1]):
    for name in files:
        size = os.stat(above + "/" + name).st_size
        if name != "cancel" and len(open(above + "/" + name, "rb").read()) != size:
            sys.exit(f"FAILED: {above}/{name} has not {size} bytes")' "$mnt"
if command -v busybox >/dev/null; then
    ends busybox cp -r "$mnt" "$tmp/busybox"
    ends busybox grep -r running "$mnt"
    ends busybox find "$mnt" -type f -exec cat {} +
fi
has_ended "$maker" && fail "the maker has ended"
thaw
ends_with 0 "$maker" "the maker"
