#!/bin/sh
# If this failed: a name that Windows, shells or mount tools cannot handle would become a disk, and
# so would the temporary files of editors and copying tools.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/mount.sh"

start_vhdfs

# refused NAME: also when nothing is written
refused()
{
    expect "open EINVAL" "$(answer "$mnt/new/$1" 40)" "name \"$1\""
    tail -n 1 "$mnt/errors" | grep -q ' new/[^ ]* EINVAL E_INVALID_NAME .' ||
        fail "errors does not tell of \"$1\": $(tail -n 1 "$mnt/errors")"
    touch "$mnt/new/$1" 2>/dev/null && fail "\"$1\" can be touched"
}

for name in .x ..x -x -- x~ x. x.. "x " " " 'a*b' 'a?b' 'a:b' 'a<b' 'a>b' 'a|b' 'a"b' 'a\b' \
    .x.swp x.txt~ .request.a8Kx2P \
    NUL nul Nul NUL.txt CON con.a.b PRN AUX aux COM1 com9 COM9.x LPT1 lpt9 COM¹ LPT² \
    .vhd x..vhd "x .vhd" x~.vhd .x.vhd NUL.vhd nul.VHD .vhdfs-lock .vhdfs-draft-x; do
    refused "$name"
done
for bytes in '\001' 'a\011b' 'a\012' 'a\033b' 'a\177b' '\200' 'a\377b' '\303' '\303(' '\340\200\200' \
    '\355\240\200' '\364\220\200\200' '\300\257'; do
    # shellcheck disable=SC2059
    refused "$(printf "${bytes}_")"
done
expect 16 "$(wc -l <"$mnt/errors")" "lines of errors, whatever the names hold"
expect "" "$(names "$mnt/tasks")$(names "$mnt/disks")$(names "$mnt/new")" "what is left"
expect ".vhdfs-lock" "$(ls -A "$store")" "the store"

# Anything else is a name.
# shellcheck disable=SC2016 # nothing is to be expanded
for name in x 'a b' ' a' a.b a.b.c a-1 a,b "it's" 'a&b' 'a;b' '#a' '%41' '$a' '(a)' '[a]' '{a}' '!a' '@' \
    'a=b' '~a' '^' '`' _ 1 nulx COM COM10 COM1a conx lost+found ä 日本 😀 e.vhdx tasks; do
    expect "done" "$(answer "$mnt/new/$name" 40)" "name \"$name\""
    [ -f "$store/$name.vhd" ] || fail "no file for \"$name\""
    expect "$name" "$(value "$mnt/disks/$name/info" name)" "name in info"
    expect completed "$(cat "$mnt/tasks/$name/state")" "state of \"$name\""
done
