# SPDX-License-Identifier: MIT
"""The rows of check. Beside it preads.c reads the same bytes in the same order."""
import errno
import os
import resource
import struct

from turns import MB, Turn, print_row, run, alternate

BLOCKS = 1020 << 10  # of a disk of 2040 GB
BLOCK = 2 * MB
SECTOR = 512
TABLE = 1536  # offset
STRIDE = BLOCK // SECTOR + 8  # a bitmap, 4 KiB aligned data
FIRST = (TABLE + 4 * BLOCKS) // SECTOR + 7
AT_ONCE = 16 << 10  # bytes of the table that are read together


def seal(data, at):
    """Put the checksum into a footer or a header."""
    return data[:at] + struct.pack(">I", ~sum(data) & 0xFFFFFFFF) + data[at + 4:]


def build_image(path, used, has_bitmaps):
    """Write an image of 2040 GB whose first blocks have entries. Data are holes of the host, and so
    are bitmaps, or else they are all ones."""
    size = BLOCKS * BLOCK
    footer = seal(struct.pack(">8sIIQI4sI4sQQHBBII16s428x", b"conectix", 2, 0x10000, SECTOR,
                              0x12345678, b"win ", 0xA0000, b"Wi2k", size, size, 65535, 16, 255, 3,
                              0, b"identity" * 2), 64)
    header = seal(struct.pack(">8sQQIIII984x", b"cxsparse", 2**64 - 1, TABLE, 0x10000, BLOCKS,
                              BLOCK, 0), 36)
    with open(path, "wb") as file:
        file.write(footer + header)
        file.write(struct.pack(f">{used}I", *range(FIRST, FIRST + STRIDE * used, STRIDE)))
        file.write(b"\xff" * 4 * (BLOCKS - used))
        for block in range(used if has_bitmaps else 0):
            os.pwrite(file.fileno(), b"\xff" * SECTOR, (FIRST + STRIDE * block) * SECTOR)
        file.seek((FIRST + STRIDE * used) * SECTOR)
        file.write(footer)


def read_table(path):
    with open(path, "rb", buffering=0) as file:
        for at in range(TABLE, TABLE + 4 * BLOCKS, AT_ONCE):
            os.pread(file.fileno(), AT_ONCE, at)


def bytes_of(pid):
    """Bytes that devices have read so far for a process."""
    with open(f"/proc/{pid}/io", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("read_bytes:"))


def bytes_of_children():
    """The same for the programs that this one has run."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_inblock * 512


def check(mount, name, used, has_bitmaps, rounds):
    image = mount.image("table")
    try:
        build_image(image, used, has_bitmaps)
    except OSError as fault:
        os.remove(image)
        if fault.errno != errno.EFBIG:
            raise
        print(f"{name}: not measured, needs a host with files of 2 TiB")
        return
    read = {}  # bytes in the last round

    def counted(which, count, call):
        before = count()
        call()
        read[which] = count() - before

    medians = alternate(mount.folder, {
        "check": Turn(lambda: counted("check", lambda: bytes_of(mount.pid),
                                      lambda: mount.verb("table", "check")), sources=[image]),
        "preads": Turn(lambda: counted("preads", bytes_of_children,
                                       lambda: run(f"{mount.build}/tests/bench/preads", image)),
                       sources=[image]),
        "table": Turn(lambda: read_table(image), sources=[image]),
    }, rounds)
    print_row(name, medians["check"], {"preads of the same": medians["preads"],
                                       "the table alone": medians["table"]})
    print(f"{'':36}{read['check'] / MB:9.1f} MB"
          f"   preads {read['preads'] / MB:.1f} MB, from devices")
    mount.remove("table")


def checks(mount, used, rounds):
    check(mount, "check 2040 GB, full, bitmaps holes", BLOCKS, False, rounds)
    check(mount, f"check 2040 GB, {used} blocks", used, True, rounds)
