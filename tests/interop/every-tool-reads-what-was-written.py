#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# If this failed: QEMU, libvhdi or 7-Zip would read other bytes than vhdfs wrote, so a user could
# not take a disk to another program.
#
# The library makes disks of several sizes (VHD_CREATE), writes and discards at random places,
# several times. After each time all three programs must read the expected bytes. Then the same with
# differencing disks of XO, whose parents libvhdi finds by itself. VHD_SEED, which is printed,
# chooses the places.
import os
import random
import shutil
import sys

import tools
from tools import corpus

MIB = 1 << 20
SECTOR = 512
SIZES_MB = [3, 17, 100]
CHILDREN = ["child-of-2-mib", "xo-0.7-child", "xo-4.15-streamed"]
ROUNDS = 3
READERS = [tools.by_qemu, tools.by_7z, tools.by_vhdimount]


def change(sectors, size, chance):
    """A script of random calls for the library. The sectors change too."""
    script = b""
    for _ in range(8):
        count = chance.choice([1, 7, 8, 9, 64, 300])
        number = chance.randrange(max(1, size // SECTOR - count))
        if sectors and chance.random() < 0.3:
            number = min(chance.choice(list(sectors)), size // SECTOR - count)
        if chance.random() < 0.3:
            data = bytes(count * SECTOR)
            script += f"discard {number * SECTOR} {len(data)}\n".encode()
        else:
            data = chance.randbytes(count * SECTOR)
            script += f"write {number * SECTOR} {len(data)}\n".encode() + data
        for at in range(count):
            sectors.pop(number + at, None)
        sectors.update(corpus.sectors_in(data, number * SECTOR))
    return script


def check(store, name, readers, chance):
    sectors, size = corpus.read_data(store, name)
    for number in range(ROUNDS):
        script = change(sectors, size, chance)
        corpus.must(corpus.flat(store, name, "write", script=script), f"{name}: writing")
        corpus.expect_content((sectors, size), corpus.read_data(store, name), f"{name}: read")
        for read in readers:
            found = read(f"{store}/{name}.vhd", f"{store}/.{name}")
            corpus.expect_content((sectors, size), found, f"{name}: {read.__name__}, {number}")


def test(folder):
    corpus.need_commands("qemu-img", "vhdimount", tools.TOOL_7Z or "7zz")
    seed = int(os.environ.get("VHD_SEED") or random.SystemRandom().randrange(2**32))
    print(f"VHD_SEED={seed}", flush=True)
    chance = random.Random(seed)
    missing = tools.why_no_vhdimount()
    readers = READERS[:-1] if missing else READERS
    for size_mb in SIZES_MB:
        os.makedirs(f"{folder}/own", exist_ok=True)
        tools.run(os.environ["VHD_CREATE"], f"{folder}/own/{size_mb}-mb.vhd", str(size_mb))
        check(f"{folder}/own", f"{size_mb}-mb", readers, chance)
    if missing:
        print(f"SKIPPED: libvhdi reads nothing, because {missing}; the others read it all")
        sys.exit(77)
    store = shutil.copytree(f"{folder}/good", f"{folder}/store", ignore=not_in_chains)
    for name in CHILDREN:
        check(store, name, [tools.by_vhdimount], chance)
    return f"{len(SIZES_MB)} disks and {len(CHILDREN)} chains, the same to all"


def not_in_chains(_, files):
    return [name for name in files if not name.startswith(("child-of-2-mib", "xo-"))]


corpus.run(test)
