# SPDX-License-Identifier: MIT
"""Images that the library must refuse because of their table or blocks."""
import struct

from case import bad
from images_bad import with_footer, with_header
from images_dynamic import BLOCK, sample
from vhd import FREE, GIB, SECTOR, Dynamic, noise

STRIDE = SECTOR + BLOCK
FIRST = 2048 // SECTOR  # the sector of a sample's first block
TOO_LARGE = "the disk is larger than 2 TiB"
SMALL = "the block allocation table has too few entries for the disk"
TABLE = "the block allocation table lies outside the file or over metadata"
OUTSIDE = "a block lies outside the file or over metadata"
OVERLAP = "two blocks overlap"


@bad(f"{SMALL}: 3 entries, expected at least 4")
def table_too_small():
    """The table has one entry too few."""
    return with_header(entries=3)


@bad(f"{SMALL}: 0 entries, expected at least 4")
def table_of_no_entries():
    """The table has no entry."""
    disk = sample()
    disk.spoil(512, disk.header.but(entries=0).pack())
    return disk


@bad(f"{TOO_LARGE}: {2**64 - BLOCK} bytes")
def table_for_16_eib():
    """A size of nearly 16 EiB, which would need 2^52 entries."""
    return with_footer(size=2**64 - BLOCK)


@bad(f"{TOO_LARGE}: 2199023256064 bytes")
def size_above_2_tib():
    """One sector more than 32 bits can number, with a table for all of them."""
    disk = Dynamic(2048 * GIB + SECTOR, block=2 * GIB)
    return disk


@bad(f"{TABLE}: 16 bytes at 0")
def table_over_copy():
    """The table lies over the footer's copy."""
    return table_at(0)


def table_at(offset, **changes):
    disk = sample()
    disk.spoil(512, disk.header.but(table=offset, **changes).pack())
    return disk


@bad(f"{TABLE}: 16 bytes at 512")
def table_over_header():
    """The table lies over the header."""
    return table_at(512)


@bad(f"{TABLE}: 16 bytes at 1540")
def table_off_sectors():
    """The table does not begin at a sector."""
    return table_at(1540)


@bad(f"{TABLE}: 16 bytes at 11264")
def table_over_footer():
    """The table lies over the footer at the end."""
    return table_at(2048 + 2 * STRIDE)


@bad(f"{TABLE}: 16 bytes at 1099511627776")
def table_behind_the_file():
    """The table lies at 1 TiB in a file of some KiB."""
    return table_at(1 << 40)


@bad(f"{TABLE}: 16 bytes at 18446744073709551104")
def table_at_the_end_of_numbers():
    """The sum of the table's offset and length is more than 64 bits hold."""
    return table_at(2**64 - 512)


@bad(f"{TABLE}: 17179869180 bytes at 1536")
def table_of_ones():
    """16 GiB of entries in a file of some KiB."""
    return table_at(1536, entries=2**32 - 1)


@bad(f"{TABLE}: 4294967296 bytes at 1536")
def table_whose_bytes_overflow():
    """2^30 entries: their length in bytes is 0 in 32 bits."""
    return table_at(1536, entries=2**30)


@bad("the disk has too many blocks: 2147483648 of 512 bytes, "
     "expected at most 16777216")
def table_that_is_a_hole():
    """A disk of 1 TiB with blocks of a sector: 2^31 entries, and most of the table is a hole."""
    return Dynamic(1024 * GIB, block=SECTOR)


def with_entry(number, sector):
    disk = sample()
    disk.changed_entries[number] = sector
    return disk


@bad(f"{OUTSIDE}: block 0 at sector 0 reaches over the footer's copy")
def block_over_copy():
    """A block lies over the footer's copy, because its entry is 0."""
    return with_entry(0, 0)


@bad(f"{OUTSIDE}: block 3 at sector 2 reaches over the dynamic header")
def block_over_header():
    """A block lies over the header."""
    return with_entry(3, 2)


@bad(f"{OUTSIDE}: block 0 at sector 3 reaches over the table")
def block_over_table():
    """A block begins with the table."""
    return with_entry(0, 3)


@bad(f"{OUTSIDE}: block 1 at sector 4 reaches over the table")
def block_over_surplus_entries():
    """A block lies over surplus entries of the table."""
    disk = sample()
    disk.spoil(512, disk.header.but(entries=129).pack())
    disk.spoil(1536, struct.pack(">4I", FREE, FIRST, FREE, FREE))
    return disk


@bad(f"{OUTSIDE}: block 0 at sector 14 ends at byte 11776, expected at most 11264")
def block_over_footer():
    """A block reaches into the footer at the end."""
    return with_entry(0, FIRST + 10)


@bad(f"{OUTSIDE}: block 3 at sector 22 ends at byte 15872, expected at most 11264")
def block_behind_the_end():
    """A block begins at the footer. XO leaves such an entry after a crash before it writes the
    block."""
    return with_entry(3, FIRST + 18)


@bad(f"{OUTSIDE}: block 0 at sector 4294967294 ends at byte 2199023259136, expected at most 11264")
def block_at_2_tib():
    """A block lies at the last sector that an entry can name."""
    return with_entry(0, FREE - 1)


@bad(f"{OUTSIDE}: block 1 at sector 4 ends at byte 6656, expected at most 6144")
def block_of_a_file_cut_short():
    """The last block and the footer are cut off; the copy remains."""
    disk = Dynamic(4 * BLOCK)
    disk.write(BLOCK, noise("one", BLOCK))
    disk.cut = 2048 + SECTOR + BLOCK - SECTOR
    return disk


@bad(f"{OVERLAP}: block 2 at sector 4 and block 3 at sector 4")
def blocks_at_one_place():
    """Two entries point at one block."""
    return with_entry(3, FIRST)


@bad(f"{OVERLAP}: block 2 at sector 4 and block 1 at sector 5")
def blocks_overlap():
    """A block begins in the middle of another."""
    disk = sample()
    disk.changed_entries = {1: FIRST + 1}
    return disk
