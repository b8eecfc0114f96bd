# SPDX-License-Identifier: MIT
"""Dynamic disks that read although a footer or header is odd or lost."""
from case import good
from images_dynamic import BLOCK, sample
from vhd import EPOCH, GIB, MIB, MODIFIED, SECTOR, Dynamic, Fixed, noise

LOST = "the footer at the end of the file is lost; its copy is used"


@good()
def footer_of_511_bytes():
    """The footer at the end lacks its last byte, as before Virtual PC 2004."""
    disk = sample()
    disk.tail = disk.footer.pack()[:511]
    return disk


@good(fault=LOST)
def footer_of_zeros():
    """Zeros lie in place of the footer at the end."""
    disk = sample()
    disk.tail = bytes(SECTOR)
    return disk


@good(fault=LOST)
def footer_of_0xc7():
    """BLKTAP's mark of an open image lies in place of the footer at the end."""
    disk = sample()
    disk.tail = b"\xC7" * SECTOR
    return disk


@good(fault=LOST)
def footer_cut_off():
    """The file ends at the end of its last block."""
    disk = sample()
    disk.tail = b""
    return disk


@good(fault=LOST)
def footer_cut_in_half():
    """The file ends inside the footer at the end."""
    disk = sample()
    disk.tail = disk.footer.pack()[:256]
    return disk


@good(fault=LOST)
def footer_with_a_wrong_checksum():
    """One bit of the footer at the end is wrong."""
    disk = sample()
    disk.spoil(-SECTOR + 70, bytes([disk.footer.uuid[2] ^ 1]))
    return disk


@good(fault=LOST)
def footer_followed_by_zeros():
    """Padding of zeros up to a multiple of 4 KiB follows the footer."""
    disk = sample()
    disk.behind = bytes(-disk.lay_out().length % 4096)
    return disk


@good(fault=LOST)
def footer_overwritten_by_a_block_of_zeros():
    """The footer was zeroed and the file extended by zeros, as after a crash in a growth."""
    disk = sample()
    disk.tail = bytes(SECTOR + SECTOR + BLOCK)
    return disk


@good()
def footer_off_sectors():
    """The footer at the end lies off the sectors: it covers two bytes of the table's padding."""
    disk = Dynamic(4 * BLOCK)
    disk.tail = b""
    disk.spoil(2046, disk.footer.pack())
    return disk


@good()
def copy_of_zeros():
    """The footer's copy at 0 is lost."""
    disk = sample()
    disk.copy = bytes(SECTOR)
    return disk


@good()
def copy_with_a_wrong_checksum():
    """One bit of the copy at 0 is wrong."""
    disk = sample()
    disk.spoil(100, b"\1")
    return disk


@good()
def copy_of_another_size():
    """The copy at 0 has another size, as after an interrupted resize; the end decides."""
    disk = sample()
    disk.copy = disk.footer.but(size=2 * BLOCK).pack()
    return disk


@good()
def copy_of_another_kind():
    """The copy at 0 is the footer of a fixed disk; the end decides."""
    disk = sample()
    disk.copy = Fixed(4 * BLOCK).footer.pack()
    return disk


@good()
def original_size_smaller():
    """The disk was smaller when it was made."""
    disk = sample()
    disk.footer.original_size = BLOCK
    return disk


@good()
def original_size_larger():
    """The disk was larger when it was made."""
    disk = sample()
    disk.footer.original_size = GIB
    return disk


@good()
def geometry_as_large_as_can_be():
    """The maximum geometry on a small disk, as QEMU writes with force_size."""
    disk = sample(size=8 * MIB, block=2 * MIB)
    disk.footer.creator, disk.footer.creator_version = b"qem2", 0x00050003
    disk.footer.geometry = (65535, 16, 255)
    return disk


@good()
def geometry_larger_by_virtual_pc():
    """Creator "vpc " and a geometry with too many sectors; the size field decides."""
    disk = sample(size=8 * MIB, block=2 * MIB)
    disk.footer.creator, disk.footer.creator_version = b"vpc ", 0x00050003
    disk.footer.geometry = (260, 4, 17)
    return disk


@good()
def geometry_smaller_by_virtual_pc():
    """Creator "vpc " and a geometry with too few sectors; the size field decides."""
    disk = sample(size=8 * MIB, block=2 * MIB)
    disk.footer.creator, disk.footer.creator_version = b"vpc ", 0x00050000
    disk.footer.geometry = (1, 4, 17)
    disk.write(8 * MIB - SECTOR, noise("end", SECTOR))
    return disk


@good()
def features_of_all_kinds():
    """Temporary, in saved state, hidden, made in the future, without creator and identity."""
    disk = sample()
    disk.footer.features = 3
    disk.footer.saved = 1
    disk.footer.reserved = b"\1" + bytes(426)
    disk.footer.created = MODIFIED - EPOCH + 10**9
    disk.footer.creator, disk.footer.creator_version = bytes(4), 0
    disk.footer.uuid = bytes(16)
    return disk


@good()
def reserved_bytes_of_noise():
    """The reserved bytes of footer and header are noise."""
    disk = sample()
    disk.footer.reserved = noise("footer", 427)
    disk.header.reserved = noise("header", 256)
    return disk


@good()
def header_data_offset_of_32_bits():
    """The header's unused data offset is ones in 32 bits only, as the specification prints it."""
    disk = sample()
    disk.header.data_offset = 0xFFFFFFFF
    return disk


@good()
def parent_in_a_dynamic_disk():
    """A dynamic disk's header names a parent, which has no meaning."""
    disk = sample()
    disk.header.parent_uuid = noise("parent", 16)
    disk.header.parent_name = "nobody.vhd".encode("utf-16-be")
    return disk
