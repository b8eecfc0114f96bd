#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: the manual page would show text at wrong places, or miss parts.
#
# Usage: manual.sh PAGE

set -u
command -v mandoc >/dev/null || { echo "SKIPPED: needs mandoc"; exit 77; }
# Ignore two messages about the machine: the manual database is old, or a page that ours refers to
# is missing, as in a container without manuals.
said=$(mandoc -Tlint "$1" 2>&1 |
    grep -v -e 'outdated mandoc.db' -e 'referenced manual not found')
[ -z "$said" ] || { echo "$said" >&2; exit 1; }
