#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user would see "Operation not permitted", or dash's "I/O error", and find
# neither the cause nor a remedy in errors.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

need_root # for others the kernel refuses some calls by the mode bits
start_vhdfs
make_disk d 8
make_disk e 8
make_disk busy 8
cd "$mnt" || exit 1

# refused WHERE ERRNO SENTENCE COMMAND...: it fails, and errors has one line more
refused()
{
    refused_line=" $1 $2 .*$3"
    shift 3
    : >errors
    "$@" >"$tmp/said" 2>&1 && fail "not refused: $*"
    expect 1 "$(wc -l <errors)" "lines after $*"
    grep -q "$refused_line" errors || fail "$* expected $refused_line, got: $(cat errors)"
}

no='EPERM E_NOT_SUPPORTED'
for shell in dash bash "busybox sh"; do
    command -v "${shell%% *}" >/dev/null || continue
    for how in '>' '>>' '<>'; do
        # shellcheck disable=SC2086 # two words
        refused disks/a "$no" 'echo SIZE > new/a' $shell -c "echo 10 $how disks/a"
        # shellcheck disable=SC2086
        refused new/a~ 'EINVAL E_INVALID_NAME' '' $shell -c "echo 10 $how new/a~"
    done
    # shellcheck disable=SC2086
    refused version "$no" 'can only be read' $shell -c 'echo 10 >> version'
    # shellcheck disable=SC2086
    refused new/d 'EEXIST E_ALREADY_EXISTS' 'exists already; choose another name, or delete' $shell -c 'echo 10 > new/d'
    # shellcheck disable=SC2086
    refused tasks/d/cancel 'ESRCH E_FAIL' 'has ended' $shell -c 'echo 1 > tasks/d/cancel'
done
refused tasks/x "$no" 'no file can be made here' sh -c 'echo 10 >tasks/x'
refused x "$no" 'no file can be made here' sh -c 'echo 10 >x'
refused disks/d/x "$no" 'no file can be made here' touch disks/d/x
refused disks/a "$no" 'new/NAME' mkdir disks/a
refused x "$no" 'new/NAME' mkdir x
refused new/x "$no" 'new/NAME' mkfifo new/x
refused new/x "$no" 'new/NAME' mknod new/x c 1 3
refused disks/x "$no" 'outside of the mount' ln -s d disks/x
refused disks/d/x "$no" 'copy raw to raw' ln disks/d/raw disks/d/x
refused version "$no" 'from disks/NAME to disks/OTHER' mv version v
refused disks/d "$no" 'from disks/NAME to disks/OTHER' "$python" -I -S -c 'import os; os.rename("disks/d", "new/z")'
refused disks/d/raw "$no" 'from disks/NAME to disks/OTHER' mv -T disks/d/raw disks/d/info
refused disks/d 'EEXIST E_ALREADY_EXISTS' 'e.vhd.* exists' \
    "$python" -I -S -c 'import os; os.rename("disks/d", "disks/e")'
refused disks/d 'EINVAL E_INVALID_NAME' '' \
    "$python" -I -S -c 'import os; os.rename("disks/d", "disks/x?")'
refused disks/d.vhd "$no" 'another name of the disk "d"' \
    "$python" -I -S -c 'import os; os.rename("disks/d.vhd", "disks/f")'
refused tasks/d "$no" 'from disks/NAME to disks/OTHER' mv tasks/d tasks/f
refused version "$no" 'cannot be removed' rm -f version
refused new "$no" 'umount' rmdir new
refused tasks/d/status "$no" 'cannot be removed' rm -f tasks/d/status
refused tasks/d/status "$no" 'attributes cannot be changed here' chmod 600 tasks/d/status
refused version "$no" 'attributes cannot be changed here' touch version
refused version "$no" 'this file can only be read' truncate -s 0 version
refused disks/d/info "$no" 'attributes cannot be changed here' chown 1 disks/d/info
refused disks/d "$no" 'attributes cannot be changed here' chmod 700 disks/d
refused / "$no" 'attributes cannot be changed here' chmod 700 .
exec 3<disks/busy/raw
refused disks/busy 'EBUSY E_SHARING_VIOLATION' 'is open; close it in every program' rmdir disks/busy
refused disks/busy 'EBUSY E_SHARING_VIOLATION' 'is open; close it in every program' mv disks/busy disks/b
exec 3<&-

# One line a disk, and not one for each of its files.
for remove in "rm -r" "rm -rf" "busybox rm -rf"; do
    command -v "${remove%% *}" >/dev/null || continue
    : >errors
    $remove disks/d disks/e >"$tmp/said" 2>&1 && fail "not refused: $remove"
    for disk in d e; do
        expect 1 "$(grep -c " disks/$disk/[^ ]* $no .*rmdir disks/$disk\$" errors)" \
            "lines of $disk after $remove"
    done
    # busybox tries the folder too, and that refusal has its own reason.
    expect 0 "$(grep -cv -e "$no" -e 'ENOTEMPTY E_DIR_NOT_EMPTY .*run rmdir disks/' errors)" \
        "other lines after $remove"
done

# A failed lookup or a harmless attempt is not recorded.
: >errors
cat disks/x new/x tasks/x x disks/d/x >"$tmp/said" 2>&1
"$python" -I -S -c 'import os
fd = os.open("disks/d/raw", os.O_RDWR)
for call in lambda: os.lseek(fd, 0, os.SEEK_DATA), lambda: os.posix_fallocate(fd, 0, 4096):
    try:
        call()
    except OSError:
        pass'
: >new/x
touch new/x errors tasks/d/cancel disks/d/raw
chmod 600 errors new/d tasks/d/cancel
expect "" "$(cat errors)" "errors after what is no refusal"
