#!/bin/sh
# If this failed: the manual page would be shown with parts missing or misplaced.

set -u
command -v mandoc >/dev/null || { echo "SKIPPED: needs mandoc"; exit 77; }
# What it says of its own database is no fault of the page.
said=$(mandoc -Tlint "$1" 2>&1 | grep -v 'outdated mandoc.db')
[ -z "$said" ] || { echo "$said" >&2; exit 1; }
