#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user who asks for a file system that cannot be would get a disk without one, or
# no reason; or a failed mkfs.fat would leave a disk behind.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_command mkfs.fat
mkdir "$tmp/bin"
printf '#!/bin/sh\n. "%s/does"\nexec mkfs.fat "$@"\n' "$tmp" >"$tmp/bin/mkfs.fat"
chmod +x "$tmp/bin/mkfs.fat"
: >"$tmp/does"
export PATH="$tmp/bin:$PATH"
start_vhdfs
make_disk a 40

request_fails d '3 format=fat16' 'ERANGE VM_E_IMAGE_SIZE_TOO_SMALL .*3177472B'
request_fails d '2000 format=fat16' 'ERANGE VM_E_IMAGE_SIZE_TOO_LARGE .*1999 MB.*fat32'
request_fails d '513 format=fat32' 'ERANGE VM_E_IMAGE_SIZE_TOO_SMALL .*514 MB.*fat16'
request_fails d '512 format=ntfs' 'EINVAL E_INVALIDARG .*"ntfs".*fat16 or fat32'
request_fails d '512 label=DATA' 'EINVAL E_INVALIDARG .*format'
request_fails d '512 format=fat16 label=A.B' 'EINVAL E_INVALIDARG .*"A\.B"'
request_fails d '512 format=fat16 label=A23456789012' 'EINVAL E_INVALIDARG .*11'
request_fails d 'format=fat16 parent=a' 'EINVAL E_INVALIDARG .*parent='
request_fails d 'format=fat16 from=a' 'EINVAL E_INVALIDARG .*from='
request_fails d 'format=fat16' 'EINVAL E_INVALIDARG .*size'
expect "open EEXIST" "$(answer "$mnt/new/a" "512 format=fat16")" "the answer for a name in use"

# fails WORDS: mkfs.fat does as $tmp/does says, and the task fails for this reason
fails()
{
    echo '512 format=fat16' >"$mnt/new/d" || fail "refused: $(tail -n 1 "$mnt/errors")"
    expect failed "$(cat "$mnt/tasks/d/wait")" "the outcome of $(cat "$tmp/does")"
    got=$(cat "$mnt/tasks/d/errno" "$mnt/tasks/d/result" "$mnt/tasks/d/error" | paste -sd ' ')
    echo "$got" | grep -qx "$1" || fail "$(cat "$tmp/does"): $got"
    [ ! -e "$mnt/disks/d" ] || fail "a disk is there without its file system"
}

# The last line that mkfs.fat says is the reason.
echo 'echo first >&2; echo "mkfs.fat: it has a reason" >&2; exit 1' >"$tmp/does"
fails 'EIO .*E_EXCEPTION .*FAT16: it has a reason'
echo 'echo "mkfs.fat: cannot write: No space left on device" >&2; exit 1' >"$tmp/does"
fails 'ENOSPC .*E_DISK_FULL .*cannot write: No space left on device'
echo 'kill -SEGV $$' >"$tmp/does"
fails 'EIO .*E_EXCEPTION .*FAT16: killed by a signal.*'

: >"$tmp/does"
make_long d '512 format=fat16'
stop_vhdfs
expect ".vhdfs-lock a.vhd d.vhd" "$(names "$store")" "the store"
