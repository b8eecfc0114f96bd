#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: somebody who copies a file out of the tree could not tell its license, or a source
# would be so long that nobody reads it at once.
#
# Usage: sources.sh [SOURCE_ROOT]

set -u
cd "${1:-$(dirname "$0")/..}" || exit 1

most=450 # lines
status=0

complain()
{
    echo "$*" >&2
    status=1
}

# List the sources of a clone, or of a tarball.
sources()
{
    if [ -e .git ] && command -v git >/dev/null; then
        git ls-files
    else
        find .ci fs lib tests meson.build -type f -not -path '*/__pycache__/*'
    fi | grep -vE '^tests/corpus/(good|bad)/' |
        grep -E '\.(c|h|py|sh)$|(^|/)meson\.build$|^(\.ci/run|tests/(.*/)?(run|make))$'
}

found=$(sources)
[ "$(echo "$found" | wc -l)" -gt 500 ] || complain "there are too few sources to be all"
for file in $(echo "$found" | xargs grep -L 'SPDX-License-Identifier: MIT$\|SPDX-License-Identifier: MIT \*/$'); do
    complain "$file does not name its license in an SPDX line"
done
for file in $(echo "$found" | grep '\.[ch]$' | xargs awk "FNR == $most + 1 { print FILENAME }"); do
    complain "$file has more than $most lines; it has two ideas, or more"
done

exit $status
