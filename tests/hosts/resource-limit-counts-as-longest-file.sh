#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: under "ulimit -f" a user would get a disk that can never be filled, or SIGXFSZ
# would kill the program.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

mkdir "$tmp/store"
# Shells count in units of 512 or 1024 bytes: 10 or 20 MB. A disk of 3 MB grows to 4, one of 100 to
# 105.
limited()
{
    (ulimit -f 20000 && "$VHD_CREATE" "$@")
}

out=$(limited "$tmp/store/d.vhd" 100) && fail "made beyond the limit"
expect VM_E_FILE_TOO_LARGE_FOR_VOLUME "${out%% *}" "100 MB"
expect "" "$(ls -A "$tmp/store")" "what a refusal leaves"
case $out in
*' limit of '[1-9]*' a file; raise it '*) ;;
*) fail "the limit is not told: $out" ;;
esac
out=$(ulimit -f 1 && "$VHD_CREATE" "$tmp/store/d.vhd" 3) && fail "made beyond a limit below 1 MB"
case $out in
*' limit of 512B a file; '* | *' limit of 1024B a file; '*) ;;
*) fail "the small limit is not told: $out" ;;
esac
expect S_OK "$(limited "$tmp/store/d.vhd" 3)" "3 MB"
