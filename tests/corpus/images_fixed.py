# SPDX-License-Identifier: MIT
"""Fixed disks that read."""
from case import good
from vhd import EPOCH, GIB, KIB, MIB, MODIFIED, SECTOR, Fixed, Footer, Header, noise


def filled(size, tag="fixed"):
    disk = Fixed(size)
    disk.write(0, noise(tag, size))
    return disk


@good()
def fixed():
    """A fixed disk, as in the specification."""
    return filled(64 * KIB)


@good()
def fixed_one_sector():
    """The smallest possible disk."""
    return filled(SECTOR)


@good()
def fixed_odd_number_of_sectors():
    """The size is an odd number of sectors."""
    return filled(129 * SECTOR)


@good()
def fixed_sparse():
    """A disk of 64 MiB with data at the start, in the middle and at the end, and holes between."""
    disk = Fixed(64 * MIB)
    for offset in (0, 31 * MIB + 3 * SECTOR, 64 * MIB - SECTOR):
        disk.write(offset, noise(offset, SECTOR))
    return disk


@good()
def fixed_footer_of_511_bytes():
    """The footer lacks its last byte, as before Virtual PC 2004."""
    disk = filled(64 * KIB)
    disk.tail = disk.footer.pack()[:511]
    return disk


@good()
def fixed_false_footer_in_first_sector():
    """The guest's first sectors hold the footer and header of a dynamic disk."""
    disk = filled(64 * KIB)
    false = Footer.of(3 * GIB, 3, bytes(16))
    disk.write(0, false.pack() + Header.of(1536, 2 * MIB, 1536).pack())
    return disk


@good()
def fixed_slack_before_footer():
    """Three sectors of slack lie before the footer."""
    disk = filled(64 * KIB)
    disk.slack = noise("slack", 3 * SECTOR)
    return disk


@good()
def fixed_original_size_differs():
    """The disk was smaller when it was made."""
    disk = filled(64 * KIB)
    disk.footer.original_size = 4 * KIB
    return disk


@good()
def fixed_data_offset_of_32_bits():
    """The data offset is ones in 32 bits only, as the specification prints it."""
    disk = filled(64 * KIB)
    disk.footer.data_offset = 0xFFFFFFFF
    return disk


@good()
def fixed_geometry_too_large():
    """The geometry has too many sectors."""
    disk = filled(64 * KIB)
    disk.footer.geometry = (65535, 16, 255)
    return disk


@good()
def fixed_geometry_of_zeros():
    """The geometry has no sectors."""
    disk = filled(64 * KIB)
    disk.footer.geometry = (0, 0, 0)
    return disk


@good()
def fixed_by_azure():
    """Creator "wa" with NULs, version 7.0."""
    disk = filled(MIB)
    disk.footer.creator, disk.footer.creator_version = b"wa\0\0", 0x00070000
    return disk


@good()
def fixed_by_virtual_pc():
    """Creator "vpc ", whose disks some programs measure by the geometry."""
    disk = filled(3 * MIB)
    disk.footer.creator, disk.footer.creator_version = b"vpc ", 0x00050000
    return disk


@good()
def fixed_by_virtual_pc_for_mac():
    """Creator "vpc ", host "Mac "."""
    disk = filled(64 * KIB)
    disk.footer.creator, disk.footer.host = b"vpc ", b"Mac "
    return disk


@good()
def fixed_features_of_all_kinds():
    """Temporary, in saved state, hidden, made in the future, without creator and identity."""
    disk = filled(64 * KIB)
    disk.footer.features = 3
    disk.footer.saved = 1
    disk.footer.reserved = b"\1" + bytes(426)
    disk.footer.created = MODIFIED - EPOCH + 10**9
    disk.footer.creator, disk.footer.creator_version = bytes(4), 0
    disk.footer.uuid = bytes(16)
    return disk


@good()
def fixed_features_of_no_kind():
    """The feature bit that is always set is clear."""
    disk = filled(64 * KIB)
    disk.footer.features = 0
    return disk


@good(fault="blktap has disabled the disk, so it opens for reading only")
def fixed_disabled_by_blktap():
    """The cookie is "v_poison"."""
    disk = filled(64 * KIB)
    disk.footer.cookie = b"v_poison"
    return disk
