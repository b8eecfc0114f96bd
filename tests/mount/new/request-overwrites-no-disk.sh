#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a request could destroy an existing disk, even one that another program put into
# the store.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

mkdir "$store" "$store/folder.vhd"
head -c 5000 /dev/zero >"$store/foreign.VHD"
ln -s nowhere "$store/link.vhd"
start_vhdfs
echo 40 >"$mnt/new/d" || fail "cannot make d"
before=$(cksum "$store/d.vhd" "$store/foreign.VHD")

for name in d d.vhd d.VHD foreign foreign.vhd; do
    expect "open EEXIST" "$(answer "$mnt/new/$name" 50)" "$name again"
    expect "open EEXIST" "$(answer "$mnt/new/$name" bad)" "$name again, by a bad request"
    tail -n 1 "$mnt/errors" | grep -q " new/${name%.*} EEXIST E_ALREADY_EXISTS ." ||
        fail "errors: $(tail -n 1 "$mnt/errors")"
done
sh -c ": > '$mnt/new/d'" 2>/dev/null && fail "an existing name can be opened"
touch "$mnt/new/d" || fail "an existing name cannot be touched"
for name in folder link; do
    case $(answer "$mnt/new/$name" 50) in
        *" EEXIST") ;;
        *) fail "$name was made" ;;
    esac
done
expect nowhere "$(readlink "$store/link.vhd")" "the symlink"

# Names are case-sensitive, but the ending is not.
expect "done" "$(answer "$mnt/new/D" 50)" "D beside d"
expect "$before" "$(cksum "$store/d.vhd" "$store/foreign.VHD")" "the images"

# Another program makes the file while a request is open.
"$python" -I -S -c 'import errno, os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
open(sys.argv[2], "w").write("precious")
try:
    os.write(fd, b"40")
except FileExistsError:
    sys.exit(0)
sys.exit("FAILED: made over a file")' "$mnt/new/late" "$store/late.vhd" || exit 1
expect precious "$(cat "$store/late.vhd")" "what others have put there"
