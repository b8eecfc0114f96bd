#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a user whose store is in use would not learn which process holds it. Or any user
# with read access to the store could prevent a mount.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

# says WORDS STORE [OPTION...]: another vhdfs on that store fails at once, with these words
says()
{
    says_words=$1
    shift
    got=0
    timeout 3 "$VHDFS" "$1" "$tmp/other" ${2+-o "$2"} 2>"$tmp/said" || got=$?
    expect 2 "$got" "exit status: $(cat "$tmp/said")"
    grep -qF "$says_words" "$tmp/said" || fail "it does not say \"$says_words\": $(cat "$tmp/said")"
}

mnt="$tmp/two words"
start_vhdfs
expect 600 "$(stat -c %a "$store/.vhdfs-lock")" "mode of the lock file"
expect 1 "$(wc -l <"$store/.vhdfs-lock")" "lines of the lock file"
says "in use by another vhdfs (process $daemon, mounted on $mnt)" "$store"
says "(process $daemon, mounted on $mnt)" "$store" ro
mkdir "$tmp/named"
mv "$mnt" "$tmp/named/moved" 2>/dev/null && fail "a mount point was moved"
stop_vhdfs

mnt=$tmp/mnt
start_vhdfs ro
says "only reads it" "$store"
stop_vhdfs

# A lock file that others can read is not ours, or an old one.
chmod 644 "$store/.vhdfs-lock"
cat >"$tmp/hold.py" <<'END'
import fcntl, os, struct, sys, time
F_OFD_SETLK = 37
fcntl.fcntl(os.open(sys.argv[1], os.O_RDONLY), F_OFD_SETLK,
            struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 1, 0))
open(sys.argv[2], "w").close()
time.sleep(60)
END
behind "$python" -I -S "$tmp/hold.py" "$store/.vhdfs-lock" "$tmp/held"
holder=$!
wait_until 20 [ -e "$tmp/held" ]
says "another program holds a lock on \"$store/.vhdfs-lock\"" "$store"
expect 600 "$(stat -c %a "$store/.vhdfs-lock")" "mode of the lock file"
kill "$holder"
wait_until 20 has_ended "$holder"
start_vhdfs
