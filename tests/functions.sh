# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Functions for shell tests. Source this first. Each test gets a folder of its own, $tmp, and all is
# undone when the test ends, however it ends.
#
# The exit status is 0 after a success, 77 if the test was skipped (with a reason), otherwise a
# failure.

set -u

# Multiplies each deadline. Set it on a slow machine, such as an emulated one.
patience=${VHD_TEST_PATIENCE:-1}
export VHD_TEST_PATIENCE="$patience" # for programs with deadlines of their own

tmp=$(mktemp -d "${TMPDIR:-/tmp}/vhdfs-test.XXXXXX") || exit 1
undo_list=

# undo COMMAND: run it when the test ends, the latest one first.
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

# A kind of test may print more about its failure.
explain()
{
    :
}

fail()
{
    echo "FAILED: $*" >&2
    explain
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

# Mount namespaces do not work in a chroot whose root is not a mount point.
need_own_mounts()
{
    unshare -m true 2>/dev/null || skip "needs mounts of its own"
}

# forget_other_mounts: in a mount namespace, unmount the copies of other tests' mounts. A copy would
# keep the daemon of its test running as long as this test.
forget_other_mounts()
{
    sed -n 's,^[^ ]* \([^ ]*/vhdfs-test\.[^ ]*\) .*,\1,p' /proc/self/mounts | tac |
        while read -r other_mount; do
            case $other_mount in "$tmp"/*) ;; *) umount -l "$other_mount" 2>/dev/null ;; esac
        done
}

# enter_own_mounts ARG...: start the test, whose arguments these are, again in a mount namespace of its
# own. Without it, a namespace that another test makes meanwhile copies the mounts of this test: a file
# system that this test unmounts then lives on.
enter_own_mounts()
{
    need_root
    if [ -n "${IN_NAMESPACE-}" ]; then
        forget_other_mounts
        return
    fi
    need_own_mounts
    rm -rf "$tmp"
    IN_NAMESPACE=1 exec unshare -m sh "$0" "$@"
}

need_fuse()
{
    [ -w /dev/fuse ] || skip "needs /dev/fuse"
}

need_file_system()
{
    grep -qw "$1" /proc/filesystems || modprobe -q "$1" 2>/dev/null || skip "needs $1 in the kernel"
}

# loop_mount SIZE_MB DIR MKFS [ARG...]: make a file system in a file and mount it on DIR, with
# MOUNT_OPTIONS if set.
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

# mount_memory: mount a tmpfs on $tmp/memory, for what need not survive the test or must be fast.
mount_memory()
{
    mkdir "$tmp/memory"
    mount -t tmpfs none "$tmp/memory" || skip "needs to mount a tmpfs"
    undo "umount -l '$tmp/memory'"
}

# make_volume TYPE: make an empty file system, ext4 or xfs, on a loop device in memory. Sets $device.
make_volume()
{
    case $1 in
    ext4) volume_size=32M volume_options=-q ;;
    xfs) volume_size=300M volume_options=-qK ;;
    esac
    need_file_system "$1"
    need_command "mkfs.$1" losetup
    [ -e /dev/loop-control ] || skip "needs loop devices"
    mount_memory
    truncate -s "$volume_size" "$tmp/memory/volume" || fail "cannot make a volume"
    "mkfs.$1" "$volume_options" "$tmp/memory/volume" || fail "mkfs.$1 failed"
    device=$(losetup -f --show "$tmp/memory/volume") || fail "cannot make a loop device"
    undo "losetup -d '$device'"
}

# wait_until SECONDS COMMAND...: repeat the command until it succeeds. Fails after that many
# seconds, times the patience. After half a second the pauses are longer.
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

# within SECONDS COMMAND...: stop it after that many seconds, times the patience, with status 124.
within()
{
    within_limit=$(($1 * patience))
    shift
    timeout "$within_limit" "$@"
}

# expect WANTED GOT WHAT: fail unless both texts are equal.
expect()
{
    [ "$1" = "$2" ] || fail "$3: expected \"$1\", got \"$2\""
}
