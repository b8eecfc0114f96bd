#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a program that keeps a file open could keep vhdfs alive for ever.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
exec 3<"$mnt/version"
kill "$daemon"
wait_until 20 is_not_mounted "$mnt"
has_ended "$daemon" && fail "it has not waited for the open file"
expect "vhdfs $VERSION" "$(head -n 1 <&3)" "the open file"
kill "$daemon"
wait_until 10 has_ended "$daemon"
wait_until 10 [ ! -e "$tmp/pid" ] # the helper removes it after the daemon has ended
exec 3<&-

# Without a second signal it ends at the last close.
start_vhdfs
exec 3<"$mnt/version"
kill "$daemon"
wait_until 20 is_not_mounted "$mnt"
has_ended "$daemon" && fail "it has not waited for the open file"
exec 3<&-
daemon_ends
