#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: what the daemon reports would be lost, or be lost after a restart of the system's
# logger; or a logger that reads nothing would keep the daemon and the store for good.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

[ "$sanitized" = no ] || skip "it stays in the foreground with a sanitizer, and logs on stderr"
enter_own_mounts "$@"

# A /dev of our own, with a place for the logger's socket.
mkdir "$tmp/dev"
mount -t tmpfs none "$tmp/dev" || skip "cannot mount a tmpfs"
undo "umount -l '$tmp/dev'"
for node in fuse null zero urandom; do
    : >"$tmp/dev/$node"
    mount --bind "/dev/$node" "$tmp/dev/$node" || fail "cannot bind /dev/$node"
done
mount --rbind "$tmp/dev" /dev || fail "cannot bind it"
undo "umount -l /dev"

# start_logger READS: start a logger that writes what it gets to $tmp/lines, or reads nothing.
start_logger()
{
    rm -f /dev/log "$tmp/listens"
    behind "$python" -I -S -c 'import socket, sys, time
logger = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
logger.bind("/dev/log")
if sys.argv[1] == "no":
    other = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    other.setblocking(False)
    try:
        while True:
            other.sendto(b"full", "/dev/log")
    except BlockingIOError:
        pass
open(sys.argv[2], "w").close()
while sys.argv[1] == "no":
    time.sleep(1)
while True:
    with open(sys.argv[3], "a") as lines:
        print(logger.recv(4096).decode().rstrip("\n\0"), file=lines)' "$1" "$tmp/listens" "$tmp/lines"
    logger=$!
    wait_until 20 [ -e "$tmp/listens" ]
}

stop_logger()
{
    kill -KILL "$logger"
    wait_until 20 has_ended "$logger"
}

start_logger yes
start_vhdfs
wait_until 20 grep -q "vhdfs\[$daemon\]: confined by " "$tmp/lines"
stop_logger
start_logger yes
kill "$daemon"
daemon_ends
wait_until 20 grep -q 'vhdfs\[[0-9]*\]: signal (Terminated): unmounting' "$tmp/lines"

stop_logger
start_logger no
start_vhdfs
umount "$mnt" || fail "cannot unmount"
daemon_ends
start_vhdfs
kill "$daemon"
daemon_ends
