#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: while the host of some disks hangs (an NFS server), nobody could list the tree,
# use other disks, make one or cancel a task.
#
# Usage: hung-host-stops-no-other-disk.sh sync|open|close
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
# shellcheck source=tests/mount/gate.sh
. "$(dirname "$0")/../gate.sh"

kind=$1
many=64
start_vhdfs
for number in $(seq $many); do
    echo 3 >"$mnt/new/slow$number" || fail "cannot make slow$number"
done
make_disk other 16
cat "$mnt"/disks/*/info >/dev/null
wait_until 5 sh -c ": 1<>'$raw'"

# A thread for each call that hangs.
cat >"$tmp/program" <<'END'
import os, sys, threading, time
kind, folder, many, go = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
raws = [f"{folder}/slow{number}/raw" for number in range(1, many + 1)]
if kind != "open":
    fds = [os.open(raw, os.O_WRONLY) for raw in raws]
    for fd in fds:
        os.pwrite(fd, b"x" * 4096, 0)
print("ready", flush=True)
while not os.path.exists(go):
    time.sleep(0.02)
jobs = {
    "open": lambda n: os.open(raws[n], os.O_RDWR),
    "sync": lambda n: os.fsync(fds[n]),
    "close": lambda n: os.close(fds[n]),
}
threads = [threading.Thread(target=jobs[kind], args=(n,)) for n in range(many)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
os._exit(0)
END
behind "$python" -I -S "$tmp/program" "$kind" "$mnt/disks" $many "$tmp/go" >"$tmp/ready"
program=$!
wait_until 60 [ -s "$tmp/ready" ]
case $kind in
    close) shut_gate sync cut ;;
    *) shut_gate "$kind" ;;
esac
: >"$tmp/go"
wait_until 30 no_more_come

# answers COMMAND...: it ends, with any status, while the calls hang.
answers()
{
    answers_status=0
    timeout -s KILL $((5 * patience)) "$@" >"$tmp/said" 2>&1 || answers_status=$?
    [ $answers_status != 137 ] ||
        fail "while $(held) calls ($kind) are held this is not answered: $*"
}

for round in 1 2 3; do
    answers cat "$mnt/version"
    expect 0 $answers_status "cat version"
    answers ls "$mnt/disks"
    expect $((many + 1)) "$(wc -l <"$tmp/said")" "disks that ls shows"
    answers sh -c "cat '$mnt'/tasks/*/state"
    expect $((many + round)) "$(grep -c completed "$tmp/said")" "completed tasks"
    answers sh -c "echo 1 >'$mnt/tasks/slow1/cancel'"
    expect "write ESRCH" "$(answer "$mnt/tasks/slow1/cancel" 1)" "to cancel what has ended"
    # Another disk works, and a new one can be made.
    answers dd if=/dev/zero of="$raw" bs=64k count=10 conv=notrunc,fsync status=none
    expect 0 $answers_status "writing to another disk"
    answers dd if="$raw" of=/dev/null bs=64k count=10 iflag=direct status=none
    expect 0 $answers_status "reading another disk"
    answers sh -c "echo 3 >'$mnt/new/made$round'"
    expect 0 $answers_status "making a disk"
    answers rmdir "$mnt/disks/made$round"
    expect 0 $answers_status "deleting a disk"
done
open_gate
[ "$kind" = close ] || ends_with 0 $program "the program that was held"
