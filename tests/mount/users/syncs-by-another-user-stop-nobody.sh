#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user with read access alone could stop or spoil the work of writers, by hundreds
# of opens and syncs of a disk.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
need_root
need_command setpriv
chmod 755 "$tmp"

# shellcheck source=tests/mount/gate.sh
. "$(dirname "$0")/../gate.sh"
# shellcheck source=tests/mount/watchdog.sh
. "$(dirname "$0")/../watchdog.sh"

start_vhdfs allow_other
watch_mount
make_disk slow 16
chmod 644 "$store/slow.vhd"
make_disk other 16
wait_until 5 sh -c ": 1<>'$raw'"
cat >"$tmp/program" <<'END'
import os, sys, threading, time
raw, many = sys.argv[1], int(sys.argv[2])

def work():
    fd = os.open(raw, os.O_RDONLY)
    os.pread(fd, 4096, 0)
    os.fsync(fd)
    os.close(fd)

while True:
    threads = [threading.Thread(target=work) for number in range(many)]
    for thread in threads:
        thread.start()
    print("begun", flush=True)
    for thread in threads:
        thread.join()
END
chmod 644 "$tmp/program"
chmod 1777 "$gate_dir"
slow=$mnt/disks/slow/raw
dd if=/dev/urandom of="$slow" bs=64k count=10 conv=notrunc status=none

# While this user's syncs wait for the host, other programs go on.
behind "$python" -I -S -c 'import os, sys, time
fd = os.open(sys.argv[1], os.O_RDWR)
os.pwrite(fd, b"x" * 65536, 0)
print("written", flush=True)
time.sleep(600)' "$slow" >"$tmp/written"
wait_until 20 [ -s "$tmp/written" ]
shut_gate sync
# shellcheck disable=SC2086 # words
behind $nobody "$python" -I -S "$tmp/program" "$slow" 200 >"$tmp/begun"
user=$!
wait_until 20 [ -s "$tmp/begun" ]
sleep 1
for command in "cat '$mnt/version'" "ls '$mnt/disks'" "cat '$mnt/disks/other/info'" \
    "dd if=/dev/zero of='$raw' bs=64k count=10 conv=notrunc,fsync status=none"; do
    timeout -s KILL 5 sh -c "$command" >"$tmp/said" 2>&1 ||
        fail "status $? while another user syncs: $command: $(cat "$tmp/said")"
done
open_gate

# A writer beside this user reads its own writes back.
pages own-writes 2 "$slow" file rdonly
kill $user
