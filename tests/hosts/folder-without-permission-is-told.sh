#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user without permission for the folder would get an error with another cause.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

need_root
need_command setpriv
# Another user must be able to run the program.
cp "$VHD_CREATE" "$tmp/create" || fail "cannot copy the program"
chmod 755 "$tmp" "$tmp/create"
as_nobody()
{
    setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}
as_nobody test -x "$tmp/create" || skip "needs a TMPDIR that everybody can reach"

mkdir -m 755 "$tmp/readable"
mkdir -m 700 "$tmp/closed"
mkdir -m 1777 "$tmp/open"
for path in readable/d.vhd closed/d.vhd missing/d.vhd; do
    out=$(as_nobody "$tmp/create" "$tmp/$path" 100) && fail "$path: made"
    expect E_ACCESSDENIED "${out%% *}" "$path"
done
expect "" "$(ls -A "$tmp/readable")$(ls -A "$tmp/closed")" "what a refusal leaves"
[ ! -e "$tmp/missing" ] || fail "a folder was made"
expect S_OK "$(as_nobody "$tmp/create" "$tmp/open/d.vhd" 100)" "where it is allowed"
expect 65534 "$(stat -c %u "$tmp/open/d.vhd")" "the disk's owner"
