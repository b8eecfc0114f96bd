#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a long request could be cut off silently, or a request of an allowed length would
# be refused.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
padded=$(printf 40%4094s '')
expect "done" "$(answer "$mnt/new/a" "$padded")" "4096 bytes"
expect "done" "$(answer "$mnt/new/b" "$(printf 40%4093s '')
")" "4096 bytes and the newline among them"
expect "write EINVAL" "$(answer "$mnt/new/c" "$padded ")" "4097 bytes"
expect "write EINVAL" "$(answer "$mnt/new/d" "$(printf 40%100000s '')")" "100,002 bytes"
expect E_INVALIDARG "$(awk '{ print $2 }' "$mnt/tasks/c/result")" "result of 4097 bytes"
expect "a b" "$(names "$mnt/disks")" "the disks"
