# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154,SC2034 # tmp, mnt and store are mount.sh's
# A store on a host that a test can freeze. Making a disk then takes as long as the test wants.
# Sourced after mount.sh.

need_root
need_command fsfreeze
loop_mount 64 "$tmp/host" mkfs.ext4 -q
store=$tmp/host/store

# freeze: from now on every write to the host waits. At its end the test thaws the host before it
# ends processes that were started earlier.
freeze()
{
    undo thaw
    fsfreeze -f "$tmp/host" || fail "cannot freeze the host"
}

thaw()
{
    fsfreeze -u "$tmp/host" 2>/dev/null
}

# runs NAME: the task of that name is at work
runs()
{
    grep -qs '^running$' "$mnt/tasks/$1/state"
}

# make_behind NAME: start to make a disk on the frozen host; $! is the shell that waits for it.
make_behind()
{
    behind sh -c "echo 40 > '$mnt/new/$1'"
    wait_until 20 runs "$1"
}
