#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a rename could overwrite a disk, break its children, or make a name that others
# cannot use.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

cat >"$tmp/program" <<'END'
import errno, os, re, sys

mnt, wanted, result, *paths = sys.argv[1:]


def answer(source, target):
    """Rename, and return "done" or the errno."""
    try:
        os.rename(f"{mnt}/{source}", f"{mnt}/{target}")
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"


def told():
    """The last line of errors, in a list."""
    with open(f"{mnt}/errors", errors="surrogateescape") as file:
        return file.readlines()[-1:]


for source, target in zip(paths[::2], paths[1::2]):
    if result != "-":
        with open(f"{mnt}/errors", "w") as file:
            file.write("1\n")
    got = answer(source, target)
    if got != wanted:
        sys.exit(f'FAILED: renaming {source} to "{target}": expected {wanted}, got {got}')
    if result != "-" and not re.search(f" {source} {wanted} {result} .", "".join(told())):
        sys.exit(f'FAILED: errors, renaming {source} to "{target}": {told()}')
END

# renamed ANSWER RESULT SOURCE TARGET...: rename(2) gives this answer. errors shows the result,
# unless it is "-".
renamed()
{
    "$python" -I -S "$tmp/program" "$mnt" "$@" || exit 1
}

# refused ERRNO RESULT NAME...: renaming the disk a to each name fails, and errors has the reason.
refused()
{
    refused_errno=$1 refused_result=$2
    shift 2
    for name; do
        shift
        set -- "$@" disks/a "disks/$name"
    done
    renamed "$refused_errno" "$refused_result" "$@"
}

start_vhdfs
for name in a b; do
    echo 40 >"$mnt/new/$name" || fail "cannot make $name"
done
before=$(cksum "$store"/*.vhd)
records=$(cat "$mnt/tasks/a/id" "$mnt/tasks/b/id")

refused EEXIST E_ALREADY_EXISTS b
renamed ENOTDIR - disks/a disks/a.vhd disks/a disks/b.vhd # these are symlinks to the disks
refused EINVAL E_INVALID_NAME .x -x x~ x. 'x ' 'x*y' 'x?y' 'x:y' 'x<y' 'x>y' 'x|y' 'x"y' 'x\y' NUL com1 con.txt .vhd \
    "$(printf 'x\001y')" "$(printf 'x\377y')" .vhdfs-lock
long=$(printf '%0250d' 0)
refused ENAMETOOLONG E_BUFFER_OVERFLOW "$long"
mv "$mnt/disks/a" "$mnt/disks/b" 2>/dev/null && fail "mv has moved a over b"
mv -f -T "$mnt/disks/a" "$mnt/disks/b" 2>"$tmp/said" && fail "mv -f has moved a over b"
grep -q 'File exists' "$tmp/said" || fail "mv says: $(cat "$tmp/said")"

# mv renames only disks, and never moves one to another folder.
: >"$store/file"
renamed EPERM - disks/a new/x disks/a tasks/x disks/a x disks/a disks/b/x tasks/a tasks/x \
    tasks/a disks/x new/a new/x new/a disks/x disks/a/info disks/a/x \
    disks/a/info disks/b/info tasks/a/state tasks/b/state version x disks x \
    disks/a/task disks/x
renamed ENOENT - disks/x disks/y disks/file disks/y # missing; another file of the store
renamed EXDEV - disks/a ../x ../store/a.vhd disks/x # out of the mount and into it

expect "a b" "$(names "$mnt/disks")" "the disks"
expect "$before" "$(cksum "$store"/*.vhd)" "the images"
expect "$records" "$(cat "$mnt/tasks/a/id" "$mnt/tasks/b/id")" "the records"
rm "$store/file"

# A disk with children cannot be renamed. A child can.
"$python" -I -S "$here/child.py" "$store/a.vhd" "$store/child.vhd" || fail "cannot make a child"
refused EBUSY E_SHARING_VIOLATION x
renamed "done" - disks/child disks/kid
expect a "$(cat "$mnt/disks/kid/parent")" "parent of the renamed child"
refused EBUSY E_SHARING_VIOLATION x
rmdir "$mnt/disks/kid" || fail "cannot delete the child"
renamed "done" - disks/a disks/x # it has no child now
stop_vhdfs

start_vhdfs ro
renamed EROFS - disks/b disks/y
expect "b x" "$(names "$mnt/disks")" "the disks in the end"
