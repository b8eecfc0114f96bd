#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: `echo 4096 > new/d` would make no disk in the shell named by the argument, or it
# would return before the disk exists.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

shell=$1
need_command "$shell"
words=$(words_of "$shell")
start_vhdfs

# run SCRIPT
run()
{
    $words -c "$1" || fail "$shell: exit status $? of: $1"
}

run "echo 40 > $mnt/new/echo && [ -d $mnt/disks/echo ] && [ -f $store/echo.vhd ]"
run "printf 41 > $mnt/new/printf && [ -d $mnt/disks/printf ]"
run "echo 42 >> $mnt/new/append && [ -d $mnt/disks/append ]"
run "(echo 43) > $mnt/new/group && [ -d $mnt/disks/group ]"
run "set -C; echo 44 > $mnt/new/careful && [ -d $mnt/disks/careful ]"
run "exec > $mnt/new/exec; echo 45; [ -d $mnt/disks/exec ]"
run "cat > $mnt/new/here <<END
46
END
[ -d $mnt/disks/here ]"

expect "append careful echo exec group here printf" \
    "$(find "$mnt/disks" -mindepth 1 -printf '%P\n' | grep -v / | sort | paste -sd ' ')" "the disks"
expect "40 41 42 43 44 45 46" \
    "$(cd "$mnt/disks" && cat echo/size printf/size append/size group/size careful/size exec/size \
        here/size | paste -sd ' ')" "their sizes"
expect "" "$(cat "$mnt/errors")" "refusals"
