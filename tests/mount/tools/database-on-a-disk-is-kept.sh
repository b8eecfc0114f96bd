#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a database in a file system on a disk would lose committed data.
#
# Usage: database-on-a-disk-is-kept.sh sqlite3|lmdb
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"
enter_own_mounts "$@"
kind=$1
need_command mkfs.ext4 fsck.ext4
python=/usr/bin/python3
"$python" -I -c "import $kind" 2>/dev/null || skip "needs the module $kind of $python"
mkdir "$tmp/in"
start_vhdfs
make_disk d 128
mkfs.ext4 -q "$raw" || fail "mkfs.ext4: status $?"

attach()
{
    loop_device --direct-io=on "$raw"
    mount "$loop" "$tmp/in" || fail "cannot mount the disk"
    undo "umount '$tmp/in' 2>/dev/null"
}

detach()
{
    umount "$tmp/in" || fail "cannot unmount the disk"
    losetup -d "$loop" || fail "cannot detach $loop"
}

cat >"$tmp/program" <<'END'
import os, random, sys, threading, time
kind, folder, job = sys.argv[1:]
name = os.path.join(folder, "db")
chance = random.Random(job)
count = 400


def value(number):
    return random.Random(number).randbytes(100 + number * 37 % 3000)


if kind == "sqlite3":
    import sqlite3
    for mode in "wal", "delete":
        db = sqlite3.connect(name + mode)
        db.execute(f"pragma journal_mode={mode}")
        db.execute("pragma synchronous=full")
        db.execute("pragma mmap_size=16777216")
        if job == "write":
            db.execute("create table t (id integer primary key, value blob)")
            for at in range(0, count, 20):
                with db:
                    db.executemany("insert into t values (?, ?)",
                                   ((n, value(n)) for n in range(at, at + 20)))
            with db:
                db.execute("delete from t where id % 3 = 0")
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
        rows = dict(db.execute("select id, value from t"))
        assert rows == {n: value(n) for n in range(count) if n % 3}, "other rows"
        db.close()
else:
    import lmdb
    for writemap in False, True:
        with lmdb.open(name + str(writemap), map_size=16 << 20, writemap=writemap) as env:
            if job == "write":
                for at in range(0, count, 20):
                    with env.begin(write=True) as change:
                        for n in range(at, at + 20):
                            change.put(b"%d" % n, value(n))
                with env.begin(write=True) as change:
                    for n in range(0, count, 3):
                        change.delete(b"%d" % n)
                env.sync(True)
            with env.begin() as read:
                rows = {int(key): got for key, got in read.cursor()}
            assert rows == {n: value(n) for n in range(count) if n % 3}, "other rows"
END
attach
"$python" -I "$tmp/program" "$kind" "$tmp/in" write || fail "cannot write"
detach
fsck.ext4 -fn "$raw" >"$tmp/said" 2>&1 || fail "fsck.ext4: $(cat "$tmp/said")"
stop_vhdfs
start_vhdfs
attach
"$python" -I "$tmp/program" "$kind" "$tmp/in" read || fail "another database after the next mount"
detach
