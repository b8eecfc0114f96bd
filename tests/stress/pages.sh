#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: after some time of parallel use, programs would not read back their own writes,
# mappings would lose bytes, or a program would hang.
#
# tests/mount runs the same scenarios for a moment. Here each takes two seconds, or
# VHD_STRESS_SECONDS, and a little more.
#
# Usage: pages.sh SCENARIO [ARG...], as in tests/mount/pages.py
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount/mount.sh"
# shellcheck source=tests/mount/watchdog.sh
. "$(dirname "$0")/../mount/watchdog.sh"

scenario=$1
shift
seconds=${VHD_STRESS_SECONDS:-2}
chmod 755 "$tmp"
need_root # for the watchdog, and for openers of other users
start_vhdfs allow_other
watch_mount
make_disk d 64
case $scenario in
    dd-then-map) set -- $((seconds * 50)) ;;
    own-writes)
        if [ "$1" = loop ]; then
            shift
            loop_device "$raw"
            set -- "$loop" "$@"
        elif [ "$1" = direct-loop ]; then
            shift
            loop_device --direct-io=on "$raw"
            set -- "$loop" "$@"
        fi
        ;;
esac
pages "$scenario" "$seconds" "$raw" "$@"
