# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Functions for the tests of a mounted store; sourced after functions.sh. VHDFS is the program under
# test. If it is built with sanitizers, their reports fail the test. PYTHON is the interpreter
# itself, because python3 may be a slow script that searches for it.
#
# Starting programs takes most of the time of these tests, so frequent checks use the shell alone.

# This folder. A test lies in a folder below, or beside it.
here=$(cd "$(dirname "$0")" && pwd)
here=${here%/tests/*}/tests/mount
tmp=$(cd "$tmp" && pwd -P)
store=$tmp/store
mnt=$tmp/mnt
daemon=
export LC_ALL=C

need_fuse
need_command python3
python=${PYTHON:-$(python3 -c 'import sys; print(sys.executable)')}
# shellcheck disable=SC3045 # every sh here knows it
ulimit -c 0

mkdir -m 1777 "$tmp/reports"
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:log_path=$tmp/reports/address"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-}:print_stacktrace=1:log_path=$tmp/reports/undefined"
undo check_reports
undo unmount_all

sanitized=no
! grep -q __asan_init "$VHDFS" || sanitized=yes

is_sanitized()
{
    [ "$sanitized" = yes ]
}

is_mounted()
{
    grep -q "^[^ ]* $1 fuse" /proc/self/mounts
}

is_not_mounted()
{
    ! is_mounted "$1"
}

# has_ended PID: the process is gone, or a zombie
has_ended()
{
    read -r ended_stat 2>/dev/null <"/proc/$1/stat" || return 0
    case ${ended_stat##*) } in [ZX]*) ;; *) return 1 ;; esac
}

# birth PID: the start time of a process. Time and pid together identify it.
birth()
{
    read -r birth_stat 2>/dev/null <"/proc/$1/stat" || return
    # shellcheck disable=SC2086 # the words behind the name
    set -- ${birth_stat##*) }
    echo "${20}"
}

# kill_later PID: kill it at the end of the test.
kill_later()
{
    undo "kill_same KILL $1 $(birth "$1")"
}

# kill_same SIGNAL PID BIRTH: kill it, unless the pid belongs to another process now.
kill_same()
{
    [ "$(birth "$2")" != "${3-}" ] || kill "-$1" "$2" 2>/dev/null
}

# behind COMMAND...: start it in the background and kill it at the end of the test; $! is its pid.
behind()
{
    "$@" &
    kill_later $!
}

# ends_with STATUS PID WHAT: wait for the end of a process that behind has started.
ends_with()
{
    wait_until 20 has_ended "$2"
    ends_status=0
    wait "$2" || ends_status=$?
    expect "$1" "$ends_status" "exit status of $3"
}

# The last refusals may say why a test has failed.
explain()
{
    timeout 5 tail -n 3 "$mnt/errors" 2>/dev/null | sed 's/^/errors: /' >&2
}

# start_vhdfs [OPTION...]: mount $store on $mnt and set $daemon. The options are those of -o.
start_vhdfs()
{
    start_options=pidfile=$tmp/pid
    for start_option; do
        start_options=$start_options,$start_option
    done
    undo "rm -f '$tmp/pid'"
    if is_sanitized; then
        "$VHDFS" "$store" "$mnt" -f -o "$start_options" 2>>"$tmp/log" &
        daemon=$!
        wait_until 20 is_ready "$daemon"
        [ -e "$mnt/version" ] || fail "vhdfs has ended: $(cat "$tmp/log")"
    else
        "$VHDFS" "$store" "$mnt" -o "$start_options" || fail "vhdfs: exit status $?"
        read -r daemon <"$tmp/pid"
    fi
    end_later "$daemon"
}

# is_ready PID [MOUNTPOINT]: the daemon answers there, or has ended
is_ready()
{
    [ -e "${2-$mnt}/version" ] || has_ended "$1"
}

# start_other STORE [OPTIONS]: mount another store, or the same one, on $tmp/mnt2 until the test
# ends.
start_other()
{
    mkdir "$tmp/mnt2"
    other_store=$1
    shift
    "$VHDFS" "$other_store" "$tmp/mnt2" -f ${1+-o "$1"} 2>"$tmp/log2" &
    undo "end_daemon $! '$tmp/mnt2' $(birth $!)"
    wait_until 20 is_ready $! "$tmp/mnt2"
    [ -e "$tmp/mnt2/version" ] || fail "the other vhdfs has ended: $(cat "$tmp/log2")"
}

# stop_vhdfs: end the daemon, and check that it leaves nothing behind. start_vhdfs works again then.
stop_vhdfs()
{
    kill "$daemon" || fail "the daemon has ended before its time"
    daemon_ends
}

# daemon_ends: wait for the end of the daemon after a signal.
daemon_ends()
{
    wait_until 20 has_ended "$daemon"
    if is_sanitized; then
        wait "$daemon" || fail "the daemon's exit status is $?"
    fi
    is_not_mounted "$mnt" || fail "$mnt is still mounted"
    [ ! -e "$tmp/pid" ] || fail "the pid file is still there"
    daemon=
}

# kill_vhdfs: kill the daemon with SIGKILL; its helper removes the mount.
kill_vhdfs()
{
    kill -KILL "$daemon" || fail "the daemon has ended before its time"
    wait_until 20 has_ended "$daemon"
    wait_until 20 is_not_mounted "$mnt"
    wait_until 20 [ ! -e "$tmp/pid" ]
    daemon=
}

# make_disk NAME [REQUEST]: make a disk, by default of 40 MB, and set $raw to its content.
make_disk()
{
    echo "${2:-40}" >"$mnt/new/$1" || fail "cannot make $1: $(tail -n 1 "$mnt/errors")"
    # shellcheck disable=SC2034 # for the tests
    raw=$mnt/disks/$1/raw
}

# noise BYTES SEED: bytes that look random and depend on the seed alone.
noise()
{
    "$python" -I -S -c 'import random, sys
sys.stdout.buffer.write(random.Random(sys.argv[2]).randbytes(int(sys.argv[1])))' "$1" "$2"
}

# run_python WHAT PROGRAM [ARG...]: an exception fails the test; WHAT names the step.
run_python()
{
    run_what=$1
    shift
    "$python" -I -S -c "$@" || fail "$run_what"
}

# same_bytes FILE FILE WHAT
same_bytes()
{
    cmp "$1" "$2" || fail "$3"
}

# allocated NAME: the number of allocated blocks of that disk.
allocated()
{
    value "$mnt/disks/$1/info" allocated
}

# host_blocks FILE: the KiB that it takes on the host.
host_blocks()
{
    du -k "$1" | cut -f 1
}

# loop_device OPTION... FILE: attach the file, set $loop, and detach it at the end of the test.
loop_device()
{
    need_root
    need_command losetup
    [ -e /dev/loop-control ] || skip "needs loop devices"
    loop=$(losetup --find --show "$@") || fail "cannot attach $*"
    undo "detach_own $loop"
}

# detach_own DEVICE: detach it, unless it belongs to another test by now.
detach_own()
{
    case $(losetup --noheadings --output BACK-FILE "$1" 2>/dev/null) in
        "$tmp"/*) losetup -d "$1" ;;
    esac
}

# end_later PID: end this daemon and its mount on $mnt at the end of the test.
end_later()
{
    undo "end_daemon $1 '$mnt' $(birth "$1")"
}

# end_daemon PID MOUNTPOINT BIRTH: leave neither process nor mount, whatever has happened.
end_daemon()
{
    kill_same TERM "$1" "${3-}"
    if ! (wait_until 20 is_over "$1" "${3-}"); then
        kill_same KILL "$1" "${3-}"
        # shellcheck disable=SC2034 # the exit status of functions.sh
        status=1
    fi
    while is_mounted "$2"; do
        umount -l "$2" || fusermount3 -uz "$2" || break
    done
}

is_over()
{
    [ "$(birth "$1")" != "$2" ] || has_ended "$1"
}

# Remove all mounts below $tmp, also those made by mistake. Their daemons end with them.
unmount_all()
{
    sed -n "s,^[^ ]* \($tmp/[^ ]*\) fuse.*,\1,p" /proc/self/mounts | while read -r left; do
        umount -l "$left" || fusermount3 -uz "$left"
    done
}

check_reports()
{
    for report in "$tmp"/reports/*; do
        [ ! -f "$report" ] || cat "$report"
    done >"$tmp/report"
    [ ! -s "$tmp/log" ] || grep -A 30 -e Sanitizer -e 'runtime error' "$tmp/log" >>"$tmp/report"
    [ -s "$tmp/report" ] || return 0
    cat "$tmp/report" >&2
    # shellcheck disable=SC2034
    status=1
}

# answer PATH TEXT [PATH TEXT...]: make and open PATH and write TEXT in one write. Prints the
# outcome of each: "done", or the step and the errno, such as "open EEXIST".
answer()
{
    "$python" -I -S "$here/answer.py" "$@"
}

# A command after these words runs as a user without rights.
nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'

as_nobody()
{
    $nobody "$@"
}

# let_nobody_mount: in a mount namespace of our own, let a user without rights run $tmp/vhdfs. Sets
# $store and $mnt to paths in the home of that user.
let_nobody_mount()
{
    need_command setpriv fusermount3
    [ -u "$(command -v fusermount3)" ] || skip "needs fusermount3 with its setuid bit"
    # Some hosts do not let plain users open /dev/fuse.
    mknod -m 666 "$tmp/fuse" c 10 229 || skip "cannot make a device"
    mount --bind "$tmp/fuse" /dev/fuse || skip "cannot open /dev/fuse to a plain user"
    undo "umount /dev/fuse"
    chmod 755 "$tmp"
    mkdir "$tmp/home"
    chown 65534:65534 "$tmp/home"
    cp "$VHDFS" "$tmp/vhdfs"
    store=$tmp/home/store
    mnt=$tmp/home/mnt
    as_nobody sh -c 'exec 3<>/dev/fuse' 2>/dev/null ||
        skip "cannot open /dev/fuse to a plain user"
}

# hold_locks START LENGTH FILE...: a user without rights locks these bytes of each file against
# writers, as far as it can open them. Sets $holder.
hold_locks()
{
    # shellcheck disable=SC2086 # words
    behind $nobody "$python" -I -S -c 'import fcntl, os, struct, sys, time
start, length = map(int, sys.argv[1:3])
held = []
for path in sys.argv[3:]:
    try:
        fd = os.open(path, os.O_RDONLY)
    except PermissionError:
        continue
    lock = struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, start, length, 0)
    fcntl.fcntl(fd, 37, lock)  # F_OFD_SETLK
    held.append(fd)
print(len(held), flush=True)
time.sleep(600)' "$@" >"$tmp/holds"
    # shellcheck disable=SC2034 # for the tests
    holder=$!
    wait_until 20 [ -s "$tmp/holds" ]
}

# words_of SHELL: the command that runs a shell; skips the test if there is none.
words_of()
{
    case $1 in
        busybox) echo busybox sh ;;
        *) echo "$1" ;;
    esac
}

# names FOLDER: its entries, sorted, on one line.
names()
{
    # shellcheck disable=SC2012 # ls prints the names as they are
    ls -A "$1" | paste -sd ' '
}

# is_in STATE NAME: the task of that name is in that state
is_in()
{
    [ "$(cat "$mnt/tasks/$2/state")" = "$1" ]
}

# is_trimmed NAME: its image is as long as its blocks need, as after the last close. The kernel tells
# of a close only after it has returned.
is_trimmed()
{
    [ "$(value "$mnt/disks/$1/info" slack)" = 0 ]
}

# make_long NAME REQUEST: make a disk by a long task, and wait for the task
make_long()
{
    echo "$2" >"$mnt/new/$1" || fail "refused: $2: $(tail -n 1 "$mnt/errors")"
    expect completed "$(cat "$mnt/tasks/$1/wait")" "the outcome of $2: $(cat "$mnt/tasks/$1/error")"
}

# request_fails NAME REQUEST WORDS: the write fails, and the line in errors has these words
request_fails()
{
    echo "$2" 2>/dev/null >"$mnt/new/$1" && fail "accepted: $2"
    tail -n 1 "$mnt/errors" | grep -q " new/$1 $3" || fail "$2: $(tail -n 1 "$mnt/errors")"
    [ ! -e "$mnt/disks/$1" ] || fail "a refused disk is there: $1"
}

# verb NAME COMMAND: have a verb done to a disk, and wait for its task
verb()
{
    echo "$2" >"$mnt/disks/$1/ctl" || fail "refused: $2: $(tail -n 1 "$mnt/errors")"
    expect completed "$(cat "$mnt/tasks/$1/wait")" "the outcome of $2: $(cat "$mnt/tasks/$1/error")"
}

# verb_fails NAME COMMAND WORDS: the write fails, and the line in errors has these words
verb_fails()
{
    echo "$2" 2>/dev/null >"$mnt/disks/$1/ctl" && fail "accepted: $2"
    tail -n 1 "$mnt/errors" | grep -q " disks/$1/ctl $3" || fail "$2: $(tail -n 1 "$mnt/errors")"
}

# verb_fails_in_time NAME COMMAND WORDS: the same; on a slow machine the write may end before the
# search that fails, and then the task fails with these words
verb_fails_in_time()
{
    if ! echo "$2" 2>/dev/null >"$mnt/disks/$1/ctl"; then
        tail -n 1 "$mnt/errors" | grep -q " disks/$1/ctl $3" ||
            fail "$2: $(tail -n 1 "$mnt/errors")"
        return
    fi
    expect failed "$(cat "$mnt/tasks/$1/wait")" "the outcome of $2"
    verb_result=$(value "$mnt/tasks/$1/status" result)
    echo "$(cat "$mnt/tasks/$1/errno") ${verb_result#* } $(cat "$mnt/tasks/$1/error")" |
        grep -q "^$3" || fail "$2: $(cat "$mnt/tasks/$1/status")"
}

# size_by_qemu IMAGE: print the size of the disk. Newer versions of QEMU tell that of the file too.
size_by_qemu()
{
    qemu-img info -f vpc --output=json "$1" | "$python" -I -S -c '
import json, sys
print(json.load(sys.stdin)["virtual-size"])'
}

# value FILE KEY: the value of a key in a status or an info.
value()
{
    sed -n "s/^$2 //p" "$1"
}

# poke FILE OFFSET: write standard input to that place of a file.
poke()
{
    dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# children_of PID: its running children, on one line.
children_of()
{
    grep -ls "^PPid:[[:space:]]*$1$" /proc/[0-9]*/status | while read -r child; do
        child=${child#/proc/}
        has_ended "${child%/status}" || echo "${child%/status}"
    done | paste -sd ' '
}

has_children()
{
    [ -n "$(children_of "$1")" ]
}

# find_helper: set $watcher and $worker to the processes of the daemon's helper.
find_helper()
{
    wait_until 20 has_children "$daemon"
    watcher=$(children_of "$daemon")
    wait_until 20 has_children "$watcher"
    # shellcheck disable=SC2034
    worker=$(children_of "$watcher")
}
