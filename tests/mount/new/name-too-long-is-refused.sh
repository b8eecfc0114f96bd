#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a disk could get a path that Virtual Server cannot hold, or an allowed name would
# be refused.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
ending=.vhd
longest=$((259 - $(printf %s "$store/$ending" | wc -c)))
[ "$longest" -gt 10 ] || skip "needs a shorter TMPDIR"
[ "$longest" -lt 251 ] || skip "needs a longer TMPDIR"

# repeat COUNT TEXT
repeat()
{
    awk -v count="$1" -v text="$2" 'BEGIN { while (count-- > 0) printf "%s", text }'
}

# refused NAME
refused()
{
    expect "open ENAMETOOLONG" "$(answer "$mnt/new/$1" 40)" "name \"$1\""
    tail -n 1 "$mnt/errors" | grep -q ' ENAMETOOLONG E_BUFFER_OVERFLOW .' ||
        fail "errors does not tell of \"$1\": $(tail -n 1 "$mnt/errors")"
}

# accepted NAME
accepted()
{
    expect "done" "$(answer "$mnt/new/$1" 3)" "name \"$1\""
    [ -f "$store/$1.vhd" ] || fail "no file for \"$1\""
    expect "$1" "$(value "$mnt/disks/$1/info" name)" "name in info"
}

# The path may have 259 UTF-16 units. The ending counts, even if the request leaves it out.
accepted "$(repeat "$longest" a)"
refused "$(repeat $((longest + 1)) a)"
refused "$(repeat $((longest + 1)) a).vhd"
expect "open EEXIST" "$(answer "$mnt/new/$(repeat "$longest" a).vhd" 3)" \
    "the longest with its ending"

# A character beyond the first plane is two units and four bytes. Here the limit is 255 bytes.
accepted "$(repeat 62 😀)"
refused "$(repeat 63 😀)"
accepted "$(repeat 83 €)ab"
refused "$(repeat 83 €)abc"
refused "$(repeat 252 a)"
refused "$(repeat 256 a)"
refused "$(repeat 1000 a)"

# The length is checked before the characters.
refused "$(repeat 255 :)"
expect "" "$(find "$mnt/tasks" -mindepth 1 -maxdepth 1 -name '*::*')" "records of refused names"
