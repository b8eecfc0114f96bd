#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a name that Windows, shells or mount tools cannot handle would become a disk, and
# so would the temporary files of editors and copying tools.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
cat >"$tmp/program" <<'END'
import os, re, sys

sys.path.insert(0, sys.argv[1])
from answer import answer

wanted, mnt, store, *names = map(os.fsencode, sys.argv[2:])


def read(path):
    with open(path, "rb") as file:
        return file.read()


def expect(wanted, got, what):
    if wanted != got:
        sys.exit(f"FAILED: {what} \"{os.fsdecode(name)}\": expected {wanted!r}, got {got!r}")


def asked(text, flags=os.O_TRUNC):
    """Write the text to new/NAME. Returns "done", or the step and the errno."""
    return answer(mnt + b"/new/" + name, text, flags)


def refused():
    """The name is refused even if nothing is written, as by touch."""
    expect("open EINVAL", asked(b"40"), "name")
    told = read(mnt + b"/errors").splitlines()[-1]
    if not re.search(b" new/[^ ]* EINVAL E_INVALID_NAME .", told):
        sys.exit(f"FAILED: errors does not tell of {name}: {told}")
    expect("open EINVAL", asked(b"", os.O_NONBLOCK | os.O_NOCTTY), "touching")
    expect(False, os.path.lexists(mnt + b"/new/" + name), "there is")


def made():
    expect("done", asked(b"40"), "name")
    expect(True, os.path.isfile(store + b"/" + name + b".vhd"), "a file for")
    expect([name], re.findall(b"^name (.*)", read(mnt + b"/disks/" + name + b"/info"), re.M),
           "name in info of")
    expect(b"completed\n", read(mnt + b"/tasks/" + name + b"/state"), "state of")


for name in names:
    refused() if wanted == b"refused" else made()
print(f"{len(names)} names {os.fsdecode(wanted)}")
END

# are refused|made NAME...: each request has this result
are()
{
    are_wanted=$1
    shift
    "$python" -I -S -B "$tmp/program" "$here" "$are_wanted" "$mnt" "$store" "$@" || exit 1
}

are refused .x ..x -x -- x~ x. x.. "x " " " 'a*b' 'a?b' 'a:b' 'a<b' 'a>b' 'a|b' 'a"b' 'a\b' \
    .x.swp x.txt~ .request.a8Kx2P \
    NUL nul Nul NUL.txt CON con.a.b PRN AUX aux COM1 com9 COM9.x LPT1 lpt9 COM¹ LPT² \
    .vhd x..vhd "x .vhd" x~.vhd .x.vhd NUL.vhd nul.VHD .vhdfs-lock .vhdfs-draft-x \
    x.vhd.vhd x.VHD.vhd x.vhdx x.VHDX x.avhd x.avhdx x.qcow2 x.vmdk x.vdi x.img x.Raw x.iso \
    x.img.vhd x.vhdx.vhd "x y.raw"
for bytes in '\001' 'a\011b' 'a\012' 'a\033b' 'a\177b' '\200' 'a\377b' '\303' '\303(' '\340\200\200' \
    '\355\240\200' '\364\220\200\200' '\300\257'; do
    # shellcheck disable=SC2059
    set -- "$@" "$(printf "${bytes}_")"
done
are refused "$@"
expect 16 "$(wc -l <"$mnt/errors")" "lines of errors, whatever the names hold"
expect "" "$(names "$mnt/tasks")$(names "$mnt/disks")$(names "$mnt/new")" "what is left"
expect ".vhdfs-lock" "$(ls -A "$store")" "the store"

# Every other name is valid.
# shellcheck disable=SC2016 # nothing is to be expanded
are made x 'a b' ' a' a.b a.b.c a-1 a,b "it's" 'a&b' 'a;b' '#a' '%41' '$a' '(a)' '[a]' '{a}' '!a' '@' \
    'a=b' '~a' '^' '`' _ 1 nulx COM COM10 COM1a conx lost+found ä 日本 😀 e.vhdx.old x.vhd-old qcow2 tasks

# The sentence shows the right name. mv has the same rule.
expect "open EINVAL" "$(answer "$mnt/new/d.qcow2" 40)" "new/d.qcow2"
tail -n 1 "$mnt/errors" | grep -q 'vhdfs makes VHD disks; write the name without an ending: "d"$' ||
    fail "what to write is not told: $(tail -n 1 "$mnt/errors")"
for name in b.img b.vhd.vhd b.vhdx; do
    mv "$mnt/disks/x" "$mnt/disks/$name" 2>/dev/null && fail "mv to $name went well"
    tail -n 1 "$mnt/errors" | grep -q ' EINVAL E_INVALID_NAME .*without an ending: "b"$' ||
        fail "mv to $name is not told: $(tail -n 1 "$mnt/errors")"
done
mv "$mnt/disks/x" "$mnt/disks/b.vhd" || fail "mv to b.vhd failed"
[ -f "$store/b.vhd" ] || fail "mv to b.vhd made no b.vhd"
