#!/bin/sh
# The house falls into one heap: a room of the library includes one that is built on it, the library
# knows of the mount, or two files cannot be understood one before the other.
#
# Usage: layers.sh [SOURCE_ROOT]

set -u
cd "${1:-$(dirname "$0")/..}" || exit 1

rooms="base result task format request store disk job"
status=0

complain()
{
    echo "$*" >&2
    status=1
}

# position ROOM: its number from below; the public face, above all rooms, is the last.
position()
{
    position_=0
    for room in $rooms; do
        position_=$((position_ + 1))
        if [ "$room" = "$1" ]; then
            echo "$position_"
            return
        fi
    done
    echo 99
}

# includes FILE: what it includes of ours.
includes()
{
    sed -n 's/^# *include "\(.*\)"$/\1/p' "$1"
}

for file in lib/*.[ch] lib/*/*.[ch]; do
    room=$(expr "$file" : 'lib/\([a-z]*\)/')
    for included in $(includes "$file"); do
        [ -f "lib/$included" ] || complain "$file includes \"$included\", which is not in lib/"
        above=$(expr "$included" : '\([a-z]*\)/')
        [ "$(position "$above")" -le "$(position "$room")" ] ||
            complain "$file includes \"$included\", a room above its own"
    done
done

if grep -nE '<fuse|(^|[^a-z_])fuse_|"fs/' lib/*.[ch] lib/*/*.[ch]; then
    complain "the library knows of FUSE"
fi

# A header and its source are one; tsort tells of a circle among them.
for file in lib/*.[ch] lib/*/*.[ch] fs/*.[ch]; do
    unit=${file%.[ch]}
    echo "$unit $unit"
    for included in $(includes "$file"); do
        if [ -f "fs/$included" ]; then
            echo "$unit fs/${included%.h}"
        elif [ -f "lib/$included" ]; then
            echo "$unit lib/${included%.h}"
        fi
    done
done | tsort >/dev/null || complain "files include each other in a circle"

[ "$(echo lib/*/ | tr ' ' '\n' | wc -l)" = "$(echo "$rooms" | wc -w)" ] ||
    complain "a folder of lib/ is no room of this test's list"

exit $status
