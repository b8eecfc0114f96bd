#!/bin/sh
# The house falls into one heap: a room of the library includes one that is built on it, the library
# knows of the mount, or two files cannot be understood one before the other.
#
# Usage: layers.sh [SOURCE_ROOT]

set -u
cd "${1:-$(dirname "$0")/..}" || exit 1

rooms="base result task format request store image disk operation"
status=0

complain()
{
    echo "$*" >&2
    status=1
}

# find_position FILE: set $position to the number of its room from below; the public face, above all
# rooms, is the last. FILE is named as in an #include. No process is started: there are many files.
find_position()
{
    position=0
    for room in $rooms; do
        position=$((position + 1))
        [ "${1%%/*}" != "$room" ] || return 0
    done
    position=99
}

# A line "FILE INCLUDED" for each #include of ours.
includes=$(grep -H '^# *include "' lib/*.[ch] lib/*/*.[ch] fs/*.[ch] fs/*/*.[ch] |
    sed -n 's/^\([^:]*\):# *include "\(.*\)"$/\1 \2/p')
[ -n "$includes" ] || complain "no file includes another"

while read -r file included; do
    case $file in fs/*) continue ;; esac
    [ -f "lib/$included" ] || complain "$file includes \"$included\", which is not in lib/"
    find_position "${file#lib/}"
    own=$position
    find_position "$included"
    [ "$position" -le "$own" ] || complain "$file includes \"$included\", a room above its own"
done <<END
$includes
END

# may_include FOLDER OTHER: may a folder of fs/ include another one? What lies in fs/ itself may.
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

# A header and its source are one; tsort tells of a circle among them.
while read -r file included; do
    if [ -f "fs/$included" ]; then
        echo "${file%.[ch]} fs/${included%.h}"
    elif [ -f "lib/$included" ]; then
        echo "${file%.[ch]} lib/${included%.h}"
    fi
done <<END | awk '$1 != $2' | tsort >/dev/null || complain "files include each other in a circle"
$includes
END

[ "$(echo lib/*/ | tr ' ' '\n' | wc -l)" = "$(echo "$rooms" | wc -w)" ] ||
    complain "a folder of lib/ is no room of this test's list"

exit $status
