#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a script in the shell named by the argument would go on after a refused request,
# as if the disk existed.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

shell=$1
need_command "$shell"
words=$(words_of "$shell")
start_vhdfs

# refused SCRIPT
refused()
{
    ! $words -c "$1" 2>/dev/null || fail "$shell: exit status 0 of: $1"
}

refused "echo 2 > $mnt/new/d"
refused "printf 2 > $mnt/new/d"
refused "printf '2\n' > $mnt/new/d"
refused "echo > $mnt/new/d"
refused "echo forty > $mnt/new/d"
refused "echo 40 colour=red > $mnt/new/d"
refused "echo 3000000 >> $mnt/new/d"
refused "echo 40 > $mnt/new/.d"
expect "" "$(ls "$mnt/disks")" "the disks"

$words -c "echo 40 > $mnt/new/d" || fail "$shell: a good request is refused"
refused "echo 40 > $mnt/new/d"
refused "printf 40 > $mnt/new/d"

expect "" "$($words -c "set -e; echo 2 > $mnt/new/e; echo 'went on'" 2>/dev/null)" "after set -e"
expect "d.vhd" "$(ls "$store")" "the store"
