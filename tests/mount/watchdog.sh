# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154 # tmp, mnt, status and python are those of mount.sh
# For tests whose calls may hang where no signal reaches them; sourced after mount.sh. A test must
# never leave a process that cannot be ended. So if all else fails, it aborts the connection.

# abort_connection NUMBER: every request fails with ENOTCONN, and its caller goes on.
abort_connection()
{
    [ ! -e "/sys/fs/fuse/connections/$1/abort" ] || echo 1 >"/sys/fs/fuse/connections/$1/abort"
}

# watch_mount: call it after start_vhdfs. If the test fails, the connection is aborted before any
# process is ended.
watch_mount()
{
    [ -d /sys/fs/fuse/connections/ ] || skip "needs /sys/fs/fuse/connections"
    need_root
    mountpoint -q /sys/fs/fuse/connections || mount -t fusectl none /sys/fs/fuse/connections ||
        skip "needs fusectl"
    connection=$(mountpoint -d "$mnt")
    connection=${connection#*:}
    undo "[ \$status = 0 ] || abort_connection $connection"
}

# watched SECONDS COMMAND...: it must end within that time, with status 0.
watched()
{
    watched_seconds=$1
    shift
    behind "$@"
    watched_pid=$!
    if ! (wait_until "$watched_seconds" has_ended $watched_pid) 2>/dev/null; then
        cat "/proc/$watched_pid/stack" >&2 2>/dev/null
        abort_connection "$connection"
        fail "it hangs for more than $watched_seconds s: $*"
    fi
    wait $watched_pid || fail "exit status $? of: $*"
}

# pages SCENARIO SECONDS ARG...: run pages.py, which ends by itself.
pages()
{
    watched $((${2%.*} + 40)) "$python" -I "$here/pages.py" "$@"
}
