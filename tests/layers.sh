#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a folder of the library could include one that is built on it, the library could
# depend on FUSE, or files could include each other in a circle. A developer could then no longer
# understand, test or change one folder alone.
#
# Usage: layers.sh [SOURCE_ROOT]

set -u
cd "${1:-$(dirname "$0")/..}" || exit 1

layers="base result task format request store image disk reshape repair operation verb"
status=0

complain()
{
    echo "$*" >&2
    status=1
}

# find_position FILE: set $position to the number of its folder from the bottom. The public face is
# above all folders. FILE is named as in an #include. It starts no process, because there are many
# files.
find_position()
{
    position=0
    for layer in $layers; do
        position=$((position + 1))
        [ "${1%%/*}" != "$layer" ] || return 0
    done
    position=99
}

# One line "FILE INCLUDED" for each #include of our own headers.
includes=$(grep -H '^# *include "' lib/*.[ch] lib/*/*.[ch] fs/*.[ch] fs/*/*.[ch] |
    sed -n 's/^\([^:]*\):# *include "\(.*\)"$/\1 \2/p')
[ -n "$includes" ] || complain "no file includes another"

while read -r file included; do
    case $file in fs/*) continue ;; esac
    [ -f "lib/$included" ] || complain "$file includes \"$included\", which is not in lib/"
    find_position "${file#lib/}"
    own=$position
    find_position "$included"
    [ "$position" -le "$own" ] || complain "$file includes \"$included\", a folder above its own"
done <<END
$includes
END

# may_include FOLDER OTHER: may a folder of fs/ include the other? Files in fs/ itself may include
# all.
may_include()
{
    case $1-$2 in
    process-tree | process-kernel | process-files | tree-files | kernel-files) return 1 ;;
    esac
}

while read -r file included; do
    case $file in fs/*/*) ;; *) continue ;; esac
    folder=${file#fs/}
    may_include "${folder%%/*}" "${included%%/*}" ||
        complain "$file includes \"$included\", a folder above its own"
done <<END
$includes
END

if grep -nE '<fuse|(^|[^a-z_])fuse_|"fs/' lib/*.[ch] lib/*/*.[ch]; then
    complain "the library knows of FUSE"
fi

# A header and its source count as one. tsort complains about a circle among them.
while read -r file included; do
    if [ -f "fs/$included" ]; then
        echo "${file%.[ch]} fs/${included%.h}"
    elif [ -f "lib/$included" ]; then
        echo "${file%.[ch]} lib/${included%.h}"
    fi
done <<END | awk '$1 != $2' | tsort >/dev/null || complain "files include each other in a circle"
$includes
END

for folder in lib/*/ fs/*/; do
    sources=$(find "$folder" -maxdepth 1 -name '*.c' | wc -l)
    [ "$sources" -le 20 ] || complain "$folder has $sources sources, so some need a folder of their own"
done

[ "$(echo lib/*/ | tr ' ' '\n' | wc -l)" = "$(echo "$layers" | wc -w)" ] ||
    complain "a folder of lib/ is missing in the list of this test"

exit $status
