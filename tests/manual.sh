#!/bin/sh
# If this failed: the manual page would be shown with parts missing or misplaced.
#
# Usage: manual.sh PAGE

set -u
command -v mandoc >/dev/null || { echo "SKIPPED: needs mandoc"; exit 77; }
# Two messages concern the machine and not the page: its database is old, or the page refers to one
# that is not installed here, as in a container without manuals.
said=$(mandoc -Tlint "$1" 2>&1 |
    grep -v -e 'outdated mandoc.db' -e 'referenced manual not found')
[ -z "$said" ] || { echo "$said" >&2; exit 1; }
