# shellcheck shell=sh
# What the shell tests share. Sourced as the first thing; gives each test a directory of its own,
# $tmp, and undoes everything when the test ends, however it ends.
#
# A test exits 0 when it passed, 77 when it was skipped (and says why), anything else when not.

set -u

# Each deadline is multiplied by this: a slow machine, such as an emulated one, sets it.
patience=${VHD_TEST_PATIENCE:-1}
export VHD_TEST_PATIENCE="$patience" # for programs that wait by themselves

tmp=$(mktemp -d "${TMPDIR:-/tmp}/vhdfs-test.XXXXXX") || exit 1
undo_list=

# undo COMMAND: run it when the test ends, the last one first.
undo()
{
    undo_list="$1
$undo_list"
}

finish()
{
    status=$?
    trap - EXIT
    cd /
    eval "$undo_list"
    rm -rf "$tmp"
    exit "$status"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

skip()
{
    echo "SKIPPED: $*"
    exit 77
}

fail()
{
    echo "FAILED: $*" >&2
    exit 1
}

need_root()
{
    [ "$(id -u)" = 0 ] || skip "needs root"
}

need_command()
{
    for command_; do
        command -v "$command_" >/dev/null || skip "needs $command_"
    done
}

# Mounts that only the caller sees: a chroot whose root is no mount point cannot have them.
need_own_mounts()
{
    unshare -m true 2>/dev/null || skip "needs mounts of its own"
}

# In mounts of our own: let go of the copies of other tests' mounts. Each would keep its daemon from
# ending for as long as this test takes.
forget_other_mounts()
{
    sed -n 's,^[^ ]* \([^ ]*/vhdfs-test\.[^ ]*\) .*,\1,p' /proc/self/mounts | tac |
        while read -r other_mount; do
            case $other_mount in "$tmp"/*) ;; *) umount -l "$other_mount" 2>/dev/null ;; esac
        done
}

need_fuse()
{
    [ -w /dev/fuse ] || skip "needs /dev/fuse"
}

need_file_system()
{
    grep -qw "$1" /proc/filesystems || modprobe -q "$1" 2>/dev/null || skip "needs $1 in the kernel"
}

# loop_mount SIZE_MB DIR MKFS [ARG...]: a file system of its own, made in a file and mounted on DIR.
# MOUNT_OPTIONS, where set, are given to mount.
loop_mount()
{
    need_root
    [ -e /dev/loop-control ] || skip "needs loop devices"
    loop_size=$1 loop_dir=$2
    shift 2
    need_command "$1"
    truncate -s "${loop_size}M" "$loop_dir.img" || fail "cannot make $loop_dir.img"
    "$@" "$loop_dir.img" >/dev/null 2>&1 || fail "$* failed"
    mkdir -p "$loop_dir"
    mount -o "loop,${MOUNT_OPTIONS:-rw}" "$loop_dir.img" "$loop_dir" || fail "cannot mount $loop_dir"
    undo "umount -l '$loop_dir'"
}

# wait_until SECONDS COMMAND...: poll until the command succeeds; fail after that many seconds, times
# the patience. What takes longer than half a second is asked for less often.
wait_until()
{
    read -r wait_now _ </proc/uptime
    wait_deadline=$((${wait_now%.*} + $1 * patience)) wait_polls=0 wait_pause=0.02
    shift
    until "$@"; do
        read -r wait_now _ </proc/uptime
        [ "${wait_now%.*}" -le "$wait_deadline" ] || fail "waited in vain for: $*"
        wait_polls=$((wait_polls + 1))
        [ "$wait_polls" -lt 25 ] || wait_pause=0.1
        sleep "$wait_pause"
    done
}

# within SECONDS COMMAND...: end it after that many seconds, times the patience, with status 124.
within()
{
    within_limit=$(($1 * patience))
    shift
    timeout "$within_limit" "$@"
}

# expect WANTED GOT WHAT: fail unless both are the same text.
expect()
{
    [ "$1" = "$2" ] || fail "$3: expected \"$1\", got \"$2\""
}
