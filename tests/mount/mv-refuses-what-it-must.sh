#!/bin/sh
# If this failed: renaming could overwrite a disk, break those that are built on it, or make names
# that others cannot use.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/mount.sh"

cat >"$tmp/program" <<'END'
import errno, os, sys

for source, target in zip(sys.argv[1::2], sys.argv[2::2]):
    try:
        os.rename(source, target)
        print("done")
    except OSError as error:
        print(errno.errorcode[error.errno])
END

# renamed SOURCE TARGET: what rename(2) answers
renamed()
{
    "$python" -I -S "$tmp/program" "$mnt/$1" "$mnt/$2"
}

# refused ERRNO RESULT NAME: renaming the disk a is refused, and errors tells why.
refused()
{
    echo 1 >"$mnt/errors"
    expect "$1" "$(renamed disks/a "disks/$3")" "renaming to \"$3\""
    tail -n 1 "$mnt/errors" | grep -q " disks/a $1 $2 ." ||
        fail "errors, renaming to \"$3\": $(cat "$mnt/errors")"
}

start_vhdfs
for name in a b; do
    echo 40 >"$mnt/new/$name" || fail "cannot make $name"
done
before=$(cksum "$store"/*.vhd)
records=$(cat "$mnt/tasks/a/id" "$mnt/tasks/b/id")

refused EEXIST E_ALREADY_EXISTS b
for name in a.vhd b.vhd; do # which lead to the disks
    expect ENOTDIR "$(renamed disks/a disks/$name)" "renaming to \"$name\""
done
for name in .x -x x~ x. 'x ' 'x*y' 'x?y' 'x:y' 'x<y' 'x>y' 'x|y' 'x"y' 'x\y' NUL com1 con.txt .vhd \
    "$(printf 'x\001y')" "$(printf 'x\377y')" .vhdfs-lock; do
    refused EINVAL E_INVALID_NAME "$name"
done
long=$(printf '%0250d' 0)
refused ENAMETOOLONG E_BUFFER_OVERFLOW "$long"
mv "$mnt/disks/a" "$mnt/disks/b" 2>/dev/null && fail "mv has moved a over b"
mv -f -T "$mnt/disks/a" "$mnt/disks/b" 2>"$tmp/said" && fail "mv -f has moved a over b"
grep -q 'File exists' "$tmp/said" || fail "mv says: $(cat "$tmp/said")"

# What is no disk is not renamed, nor does a disk go elsewhere.
: >"$store/file"
for paths in 'disks/a new/x' 'disks/a tasks/x' 'disks/a x' 'disks/a disks/b/x' 'tasks/a tasks/x' \
    'tasks/a disks/x' 'new/a new/x' 'new/a disks/x' 'disks/a/info disks/a/x' \
    'disks/a/info disks/b/info' 'tasks/a/state tasks/b/state' 'version x' 'disks x' \
    'disks/a/task disks/x'; do
    expect EPERM "$(renamed "${paths% *}" "${paths#* }")" "renaming $paths"
done
expect ENOENT "$(renamed disks/x disks/y)" "renaming what is not there"
expect ENOENT "$(renamed disks/file disks/y)" "renaming another file of the store"
expect EXDEV "$(renamed disks/a ../x)" "renaming out of the mount"
expect EXDEV "$(renamed ../store/a.vhd disks/x)" "renaming into the mount"

expect "a b" "$(names "$mnt/disks")" "the disks"
expect "$before" "$(cksum "$store"/*.vhd)" "the images"
expect "$records" "$(cat "$mnt/tasks/a/id" "$mnt/tasks/b/id")" "the records"
rm "$store/file"

# A disk that others are built on stays what it is called; they do not.
"$python" -I -S "$here/child.py" "$store/a.vhd" "$store/child.vhd" || fail "cannot make a child"
refused EBUSY E_SHARING_VIOLATION x
expect "done" "$(renamed disks/child disks/kid)" "renaming a child"
expect a "$(cat "$mnt/disks/kid/parent")" "parent of the renamed child"
refused EBUSY E_SHARING_VIOLATION x
rmdir "$mnt/disks/kid" || fail "cannot delete the child"
expect "done" "$(renamed disks/a disks/x)" "renaming the parent once it has no child"
stop_vhdfs

start_vhdfs ro
expect EROFS "$(renamed disks/b disks/y)" "renaming on a read-only mount"
expect "b x" "$(names "$mnt/disks")" "the disks in the end"
