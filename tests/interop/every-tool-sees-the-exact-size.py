#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# If this failed: QEMU, libvhdi or 7-Zip would see a new disk of 4096 MB with another size, or not
# open it; or the image would break the VHD specification.
#
# The library makes disks of many sizes (the program VHD_CREATE). The test reads each byte of their
# images by its own rules, and opens each by the three tools. The random sizes come from VHD_SEED,
# which is printed. A missing tool skips the test, or fails it if CI is "true".
import concurrent.futures
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

MB = 1 << 20
BLOCK = 2 * MB
SIZES = [3, 4, 5, 17, 100, 127, 512, 514, 1000, 2000, 4096, 130558, 130559, 1048576, 2088960]
RANDOM_SIZES = 300
BATCH = 40
WORKERS = 2
EPOCH = 946684800  # 2000-01-01 00:00 UTC

# Typed, not computed: megabytes -> bytes, C/H/S, entries, bytes of the padded table, bytes of the
# file.
WORKED = {
    3: (3145728, (90, 4, 17), 2, 512, 2560),
    514: (538968064, (1044, 16, 63), 257, 1536, 3584),
    2000: (2097152000, (4063, 16, 63), 1000, 4096, 6144),
    4096: (4294967296, (8322, 16, 63), 2048, 8192, 10240),
    130558: (136899985408, (65534, 16, 255), 65279, 261120, 263168),
    130559: (136901033984, (65535, 16, 255), 65280, 261120, 263168),
    2088960: (2190433320960, (65535, 16, 255), 1044480, 4177920, 4179968),
}


class Fault(Exception):
    pass


def expect(wanted, got, what):
    if wanted != got:
        raise Fault(f"{what}: expected {wanted!r}, got {got!r}")


def checksum(data, at):
    """The one's complement of the sum of all bytes, with the field itself as zeros."""
    return ~(sum(data) - sum(data[at : at + 4])) & 0xFFFFFFFF


def geometry(sectors):
    """The appendix "CHS Calculation" of the VHD specification 1.0."""
    sectors = min(sectors, 65535 * 16 * 255)
    if sectors >= 65535 * 16 * 63:
        return sectors // 255 // 16, 16, 255
    per_track, tracks = 17, sectors // 17
    heads = max((tracks + 1023) // 1024, 4)
    if tracks >= heads * 1024 or heads > 16:
        per_track, heads, tracks = 31, 16, sectors // 31
    if tracks >= heads * 1024:
        per_track, heads, tracks = 63, 16, sectors // 63
    return tracks // heads, heads, per_track


def check_footer(footer, size):
    (cookie, features, version, offset, stamp, app, app_version, host, original, current,
     cylinders, heads, per_track, kind, total, uuid, saved) = struct.unpack(
        ">8sIIQI4sI4sQQHBBII16sB", footer[:85])
    expect(b"conectix", cookie, "footer cookie")
    expect(2, features, "features")
    expect(0x00010000, version, "version")
    expect(512, offset, "place of the header")
    expect(b"win ", app, "creator")
    expect(0x000A0000, app_version, "creator's version")
    expect(b"Wi2k", host, "creator's host")
    expect(size, original, "original size")
    expect(size, current, "current size")
    expect(geometry(size // 512), (cylinders, heads, per_track), "geometry")
    expect(3, kind, "type")
    expect(checksum(footer, 64), total, "footer checksum")
    expect(0, saved, "saved state")
    expect(bytes(427), footer[85:], "reserved bytes")
    expect(4, uuid[6] >> 4, "kind of identity, random")
    expect(2, uuid[8] >> 6, "variant of identity")
    age = time.time() - EPOCH - stamp
    if not -1 < age < 600:
        raise Fault(f"time stamp: {age:.0f} s ago")
    return uuid, (cylinders, heads, per_track)


def check_header(header, entries):
    cookie, unused, table, version, count, block, total = struct.unpack(">8sQQIIII", header[:40])
    expect(b"cxsparse", cookie, "header cookie")
    expect(2**64 - 1, unused, "the header's unused place")
    expect(1536, table, "place of the table")
    expect(0x00010000, version, "header version")
    expect(entries, count, "entries")
    expect(BLOCK, block, "block size")
    expect(checksum(header, 36), total, "header checksum")
    expect(bytes(1024 - 40), header[40:], "the header's rest")


def check_bytes(path, size_mb):
    """Check the whole image. Returns its identity."""
    with open(path, "rb") as file:
        data = file.read()
    size = size_mb * MB
    entries = -(-size // BLOCK)
    table = -(-entries * 4 // 512) * 512
    expect(1536 + table + 512, len(data), "length of the file")
    expect(data[:512], data[-512:], "the footer's copy")
    uuid, chs = check_footer(data[-512:], size)
    check_header(data[512:1536], entries)
    expect(table, data[1536:-512].count(0xFF), "bytes 0xFF of the table")
    if size_mb in WORKED:
        expect(WORKED[size_mb], (size, chs, entries, table, len(data)), "the worked numbers")
    return uuid


def run(*command, ok=(0,)):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode not in ok:
        raise Fault(f"{' '.join(command)}: exit status {done.returncode}:\n{done.stdout}")
    return done.stdout


def check_qemu(path, size):
    info = json.loads(run("qemu-img", "info", "--output=json", path))
    expect("vpc", info["format"], "qemu-img: format")
    expect(size, info["virtual-size"], "qemu-img: size")
    # 63: this format cannot be checked. At least QEMU up to 10 says so.
    run("qemu-img", "check", path, ok=(0, 63))


def check_vhdiinfo(path, size):
    out = run("vhdiinfo", path)
    sizes = [line for line in out.splitlines() if "Media size" in line]
    if len(sizes) != 1 or not sizes[0].endswith((f"({size} bytes)", f": {size} bytes")):
        raise Fault(f"vhdiinfo: expected {size} bytes, got {sizes}")


def check_7z(tool, path, size):
    out = run(tool, "l", "-slt", "-tVHD", path)
    inside = out.partition("----------\n")[2]
    sizes = [line for line in inside.splitlines() if line.startswith("Size = ")]
    expect([f"Size = {size}"], sizes, f"{tool}: size")
    for word in ("ERROR", "WARNING"):
        if word in out.upper():
            raise Fault(f"{tool} complains:\n{out}")


def make(folder, number, sizes_mb):
    """Make several disks in one run of the program. Returns their paths."""
    paths = [f"{folder}/{number}-{i}.vhd" for i in range(len(sizes_mb))]
    words = [word for pair in zip(paths, map(str, sizes_mb)) for word in pair]
    out = run(os.environ["VHD_CREATE"], *words)
    expect(["S_OK"] * len(sizes_mb), out.splitlines(), "outcomes")
    return paths


def check_batch(folder, number, sizes_mb, tool_7z):
    """Returns the identities of the disks."""
    uuids = []
    for path, size_mb in zip(make(folder, number, sizes_mb), sizes_mb):
        try:
            uuids.append(check_bytes(path, size_mb))
            check_qemu(path, size_mb * MB)
            check_vhdiinfo(path, size_mb * MB)
            check_7z(tool_7z, path, size_mb * MB)
        except Fault as fault:
            raise Fault(f"{size_mb} MB: {fault}") from None
        os.unlink(path)
    return uuids


def random_sizes(seed):
    """Half of them are uniform; half have uniform logarithms, so that small sizes occur."""
    chance = random.Random(seed)
    low, high = SIZES[0], SIZES[-1]
    for i in range(RANDOM_SIZES):
        if i % 2 == 0:
            yield chance.randint(low, high)
        else:
            yield min(high, int(low * (high / low) ** chance.random()))


def find_tools():
    """Returns the name of 7-Zip. Ends the test if a tool is missing."""
    tool_7z = next(filter(shutil.which, ("7zz", "7z")), None)
    missing = [tool for tool in ("qemu-img", "vhdiinfo") if not shutil.which(tool)]
    if not tool_7z:
        missing.append("7zz or 7z")
    if missing and os.environ.get("CI") == "true":
        sys.exit(f"FAILED: needs {', '.join(missing)}, and CI must not do without")
    if missing:
        print(f"SKIPPED: needs {', '.join(missing)}")
        sys.exit(77)
    return tool_7z


def main():
    tool_7z = find_tools()
    seed = int(os.environ.get("VHD_SEED") or random.SystemRandom().randrange(2**32))
    print(f"VHD_SEED={seed}", flush=True)
    sizes = SIZES + list(random_sizes(seed))
    batches = [sizes[i : i + BATCH] for i in range(0, len(sizes), BATCH)]
    with tempfile.TemporaryDirectory(prefix="vhdfs-interop.") as folder:
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            jobs = [pool.submit(check_batch, folder, number, batch, tool_7z)
                    for number, batch in enumerate(batches)]
            try:
                uuids = [uuid for job in jobs for uuid in job.result()]
            except Fault as fault:
                pool.shutdown(cancel_futures=True)
                sys.exit(f"FAILED: {fault}")
    if len(set(uuids)) != len(sizes):
        sys.exit("FAILED: two disks share an identity")
    print(f"{len(sizes)} disks of {min(sizes)} to {max(sizes)} MB, each as expected")


main()
