#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: programs would hang for ever when vhdfs ends, or is killed, during a truncation to
# 0 beside mappings.
#
# Usage: shutdown-beside-truncation-hangs-nobody.sh TERM|KILL
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/watchdog.sh
. "$(dirname "$0")/../watchdog.sh"

start_vhdfs
watch_mount
make_disk d 128
for pause in 0.2 0.9 5; do
    "$python" -I "$here/pages.py" truncated-beside 60 "$raw" >"$tmp/said" 2>&1 &
    program=$!
    kill_later $program
    sleep $pause
    kill "-$1" "$daemon" || fail "the daemon has ended before its time"
    if ! (wait_until 15 has_ended "$daemon") 2>/dev/null; then
        # A shutdown may take longer than this test can wait, so a second signal ends it.
        kill "-$1" "$daemon" 2>/dev/null
        if ! (wait_until 10 has_ended "$daemon") 2>/dev/null; then
            cat "/proc/$daemon"/task/*/stack >&2 2>/dev/null
            abort_connection "$connection"
            fail "the daemon does not end"
        fi
    fi
    kill $program 2>/dev/null
    if ! (wait_until 25 has_ended $program) 2>/dev/null; then
        cat "/proc/$program/stack" >&2 2>/dev/null
        abort_connection "$connection"
        fail "the program hangs"
    fi
    for child in $(pgrep -f "pages.py truncated-beside 60 $raw"); do
        kill -KILL "$child" 2>/dev/null
        if ! (wait_until 10 has_ended "$child") 2>/dev/null; then
            cat "/proc/$child/stack" >&2 2>/dev/null
            abort_connection "$connection"
            fail "one who uses the disk hangs"
        fi
    done
    wait_until 20 is_not_mounted "$mnt"
    wait_until 20 [ ! -e "$tmp/pid" ]
    start_vhdfs
    watch_mount
    [ -e "$raw" ] || fail "the disk is gone"
    cat "$raw" >/dev/null || fail "the disk cannot be read"
done
