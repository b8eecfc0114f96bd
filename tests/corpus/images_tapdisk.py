# SPDX-License-Identifier: MIT
"""Disks of blktap, which has a map of full blocks and marks of its own."""
import struct

from case import good
from images_dynamic import sample
from vhd import KIB, MIB, SECTOR, Dynamic, noise

DISABLED = "blktap has disabled the disk, so it opens for reading only"
OLD_BITMAPS = "the bitmaps are those of blktap 0.1, so the disk opens for reading only"


def with_batmap(disk, full=(), version=0x00010003):
    """Add a batmap as tapdisk writes it: a header behind the table, then the map, a sector each."""
    disk.footer.creator, disk.footer.creator_version = b"tap\0", version
    disk.footer.host = bytes(4)
    at = disk.next
    bits = bytearray(SECTOR)
    for number in full:
        bits[number // 8] |= 0x80 >> number % 8
    total = ~sum(bits) & 0xFFFFFFFF
    head = struct.pack(">8sQIII", b"tdbatmap", at + SECTOR, 1, 0x00010002, total)
    disk.put(at, head.ljust(SECTOR, b"\0") + bytes(bits))
    disk.skip(2 * SECTOR)


@good()
def batmap():
    """Creator "tap" 1.3: a map of full blocks lies between the table and the blocks."""
    disk = Dynamic(8 * MIB, block=2 * MIB)
    with_batmap(disk, full=[1])
    disk.write(2 * MIB, noise("one", 16 * KIB))
    disk.fill_bits()
    disk.write(6 * MIB, noise("three", 16 * KIB))
    return disk


@good()
def batmap_of_tapdisk_1_1():
    """Creator "tap" 1.1, which may have a batmap, and has one."""
    disk = Dynamic(8 * MIB, block=2 * MIB)
    with_batmap(disk, version=0x00010001)
    disk.write(2 * MIB, noise("one", 16 * KIB))
    return disk


@good()
def batmap_of_an_empty_disk():
    """Creator "tap" 1.3 without blocks: the map lies before the footer."""
    disk = Dynamic(8 * MIB, block=2 * MIB)
    with_batmap(disk)
    return disk


@good()
def batmap_behind_a_large_table():
    """Creator "tap" 1.3: a table for 64 GiB, as vhd-util preallocates it, and its map."""
    disk = Dynamic(8 * MIB, block=2 * MIB, entries=32768)
    with_batmap(disk)
    disk.write(6 * MIB, noise("three", 16 * KIB))
    return disk


def hidden_by_tapdisk(version):
    """Early tapdisk marked a disk as hidden and did not update the checksum."""
    disk = sample()
    disk.footer.creator, disk.footer.creator_version = b"tap\0", version
    shown = disk.footer.pack()
    disk.footer.checksum = int.from_bytes(shown[64:68], "big")
    disk.footer.reserved = b"\1" + bytes(426)
    return disk


@good(fault=OLD_BITMAPS)
def hidden_by_tapdisk_0_1():
    """Creator "tap" 0.1: hidden, with the old checksum."""
    return hidden_by_tapdisk(0x00000001)


@good()
def hidden_by_tapdisk_1_1():
    """Creator "tap" 1.1: hidden, with the old checksum."""
    return hidden_by_tapdisk(0x00010001)


@good(fault=OLD_BITMAPS)
def bitmap_of_tapdisk_0_1():
    """Creator "tap" 0.1: the least significant bit of a byte is its first sector."""
    disk = Dynamic(64 * KIB, block=64 * KIB)
    disk.footer.creator, disk.footer.creator_version = b"tap\0", 0x00000001
    disk.hide(0, noise("garbage", 64 * KIB))
    for sector in (0, 1, 2, 9, 17, 18, 40, 127):
        disk.write(sector * SECTOR, noise(sector, SECTOR))
    bitmap = disk.blocks[0].bitmap
    bitmap[:] = bytes(int(f"{byte:08b}"[::-1], 2) for byte in bitmap)
    return disk


@good(fault=DISABLED)
def disabled_by_blktap():
    """The cookie of both footers is "v_poison"."""
    disk = sample()
    disk.footer.cookie = b"v_poison"
    return disk
