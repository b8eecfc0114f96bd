#!/bin/sh
# If this failed: under "ulimit -f" a disk would be made that its maker can never fill, or the
# program would be killed by SIGXFSZ.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

mkdir "$tmp/store"
# Shells count in 512 or in 1024 bytes: 10 or 20 MB. A disk of 3 MB grows to 4, one of 100 to 105.
limited()
{
    (ulimit -f 20000 && "$VHD_CREATE" "$@")
}

out=$(limited "$tmp/store/d.vhd" 100) && fail "made beyond the limit"
expect VM_E_FILE_TOO_LARGE_FOR_VOLUME "${out%% *}" "100 MB"
expect "" "$(ls -A "$tmp/store")" "what a refusal leaves"
expect S_OK "$(limited "$tmp/store/d.vhd" 3)" "3 MB"
