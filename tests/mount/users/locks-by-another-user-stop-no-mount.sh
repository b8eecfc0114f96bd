#!/bin/sh
# If this failed: any user who can look into a store could keep vhdfs from starting there.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
need_root
need_command setpriv
chmod 755 "$tmp"

nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'

# Read locks on the whole of each file that can be opened at all.
cat >"$tmp/lock.py" <<'END'
import fcntl, os, struct, sys, time
held = []
for path in sys.argv[1:]:
    try:
        fd = os.open(path, os.O_RDONLY)
    except PermissionError:
        continue
    fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0))  # F_OFD_SETLK
    held.append(fd)
print(len(held), flush=True)
time.sleep(600)
END
chmod 644 "$tmp/lock.py"

start_vhdfs
make_disk d 16
stop_vhdfs
chmod 755 "$store"
expect 600 "$(stat -c %a "$store/.vhdfs-lock")" "mode of the lock file"
# shellcheck disable=SC2086 # words
behind $nobody "$python" -I -S "$tmp/lock.py" "$store"/.[!.]* "$store"/* >"$tmp/ready"
wait_until 20 [ -s "$tmp/ready" ]
"$VHDFS" "$store" "$mnt" -o "pidfile=$tmp/pid" 2>"$tmp/said" ||
    fail "vhdfs does not start: $(cat "$tmp/said")"
read -r daemon <"$tmp/pid"
end_later "$daemon"
[ -e "$mnt/disks/d/raw" ] || fail "the disk is not there"
echo 8 >"$mnt/new/other" || fail "cannot make a disk"
