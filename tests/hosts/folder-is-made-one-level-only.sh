#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user could not make a disk in a new folder, or a mistyped path would make
# several folders, or a refused request would leave its new folder.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

expect S_OK "$("$VHD_CREATE" "$tmp/one/d.vhd" 100)" "one folder missing"
[ -f "$tmp/one/d.vhd" ] || fail "the disk is not there"

out=$("$VHD_CREATE" "$tmp/two/three/d.vhd" 100) && fail "made two folders"
expect E_PATH_NOT_FOUND "${out%% *}" "two folders missing"
[ ! -e "$tmp/two" ] || fail "a folder was made"

: >"$tmp/file"
out=$("$VHD_CREATE" "$tmp/file/d.vhd" 100) && fail "made in a file"
expect E_PATH_NOT_FOUND "${out%% *}" "a file for a folder"

# The first is refused by its arguments, the second by the host after the folder was made.
out=$("$VHD_CREATE" "$tmp/new/d.vhd" 2) && fail "2 MB: made"
expect VM_E_IMAGE_SIZE_TOO_SMALL "${out%% *}" "2 MB"
[ ! -e "$tmp/new" ] || fail "a folder was made for a request that is not valid"
out=$(ulimit -f 1000 && "$VHD_CREATE" "$tmp/new/d.vhd" 100) && fail "made beyond the limit"
expect VM_E_FILE_TOO_LARGE_FOR_VOLUME "${out%% *}" "100 MB"
[ ! -e "$tmp/new" ] || fail "a refusal left its folder"
