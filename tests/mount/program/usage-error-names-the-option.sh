#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user would have to find one wrong word among options that others added, or find
# the fault of a number by trying.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

# says WORDS ARGUMENT...
says()
{
    words=$1
    shift
    got=0
    timeout 20 "$VHDFS" "$store" "$mnt" "$@" >"$tmp/out" 2>"$tmp/said" || got=$?
    expect 1 "$got" "exit status of: $*"
    expect "vhdfs: $words" "$(cat "$tmp/said")" "what it says of: $*"
    expect "" "$(cat "$tmp/out")" "standard output"
    [ ! -e "$store" ] || fail "the store was made"
}

says 'unknown option "bogus"; vhdfs --help lists the options' -o bogus
says 'unknown option "bogus=1"; vhdfs --help lists the options' -o ro,bogus=1,noexec
says 'unknown option "--bogus"; vhdfs --help lists the options' --bogus
says '-o needs options after it, such as -o ro,umask=077' -o
says 'unknown option "-x"; vhdfs --help lists the options' -x
says 'uid=nosuchuser: there is no such user; give a name or a number' -o uid=nosuchuser
says 'gid=nosuchgroup: there is no such group; give a name or a number' -o gid=nosuchgroup
says 'uid=: there is no such user; give a name or a number' -o uid=
says 'uid=-1: there is no such user; give a name or a number' -o uid=-1
says 'uid=4294967295: there is no such user; give a name or a number' -o uid=4294967295
says 'uid=99999999999999999999: there is no such user; give a name or a number' \
    -o uid=99999999999999999999
for umask in 9 1000 -1 '' 22x; do
    says "umask=$umask is not valid; give an octal number from 0 to 777" -o "umask=$umask"
done
for history in 0 abc -1 '' 4294967296 1x; do
    says "history=$history is not valid; give a number from 1 to 4294967295" -o "history=$history"
done
says 'pidfile= is empty; give the path of a file' -o pidfile=
says 'too many arguments: "-f"; give one STORE and one MOUNTPOINT' -- -f
