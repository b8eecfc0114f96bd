#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a bug report would name another version than the running one.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
expect "vhdfs $VERSION" "$(head -n 1 "$mnt/version")" "version"
case $(sed 1d "$mnt/version") in
"confined by "*"landlock"*", "*"seccomp"*", no-new-privs") ;;
*) fail "version tells of the confinement: $(cat "$mnt/version")" ;;
esac
expect "vhdfs $VERSION" "$("$VHDFS" --version)" "--version"
expect "vhdfs $VERSION" "$("$VHDFS" -V)" "-V"
expect 444 "$(stat -c %a "$mnt/version")" "mode of version"
"$VHDFS" -h >"$tmp/help" || fail "exit status of -h"
"$VHDFS" --help | cmp "$tmp/help" || fail "--help is not -h"
for option in ro uid= gid= umask= allow_other history= pidfile= -f; do
    grep -qe "$option" "$tmp/help" || fail "-h does not tell of $option"
done
