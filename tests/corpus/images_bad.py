# SPDX-License-Identifier: MIT
"""Images that the library must refuse, with the sentences that give the reason."""
from case import bad
from images_dynamic import BLOCK, sample
from vhd import KIB, MIB, ONES, SECTOR, Dynamic, Fixed, noise

STRIDE = SECTOR + BLOCK
NO_FOOTER = "the file has no VHD footer, neither at its end nor at its start"
CHECKSUM = "the footer's checksum is wrong"
KIND = "the footer's disk type is not fixed, dynamic or differencing"
SIZE = "the footer's current size is 0 or not a multiple of 512 bytes"
SHORT = "the file is too short for its disk"
HEADER = "the dynamic header lies outside the file or over a footer"
SPARSE = "the block size is below 512 bytes or not a power of two"
SPLIT = "the disk is split into several files; join them first"


class Text(Fixed):
    """A file that is not a disk."""

    def __init__(self, content):
        super().__init__(SECTOR)
        self.content = content

    def lay_out(self):
        file = super().lay_out()
        file.pieces, file.length = [(0, self.content)], len(self.content)
        return file


@bad(f"{NO_FOOTER}: it has 0 bytes")
def file_of_nothing():
    """An empty file."""
    return Text(b"")


@bad(f"{NO_FOOTER}: it has 511 bytes")
def file_of_511_bytes():
    """A file that is too short for a footer."""
    return Text(noise("short", 511))


@bad(NO_FOOTER)
def file_of_text():
    """A text file."""
    return Text(b"This is no disk, but a text of some lines.\n" * 100)


@bad(NO_FOOTER)
def file_of_zeros():
    """A file of zeros."""
    return Text(bytes(64 * KIB))


@bad(NO_FOOTER)
def fixed_cut():
    """The end of a fixed disk's file is missing."""
    disk = Fixed(64 * KIB)
    disk.write(0, noise("fixed", 64 * KIB))
    disk.cut = 64 * KIB
    return disk


@bad(NO_FOOTER)
def fixed_cut_with_a_false_footer():
    """The end of a fixed disk's file is missing, and the guest has a footer in its first sector."""
    disk = Fixed(64 * KIB)
    disk.write(0, disk.footer.pack())
    disk.cut = 64 * KIB
    return disk


@bad(f"{SHORT}: 65536 bytes before the footer, expected 66048")
def fixed_too_short():
    """A sector before the footer is missing."""
    disk = Fixed(64 * KIB)
    disk.write(0, noise("fixed", 64 * KIB))
    disk.footer.size += SECTOR
    return disk


@bad(f"{SHORT}: 65536 bytes before the footer, expected {2**64 - 512}")
def fixed_of_16_eib():
    """The size is the largest multiple of 512 that the field holds."""
    disk = Fixed(64 * KIB)
    disk.footer.size = 2**64 - SECTOR
    return disk


def with_footer(**changes):
    disk = sample()
    disk.footer.update(changes)
    return disk


def with_header(**changes):
    disk = sample()
    disk.header.update(changes)
    return disk


@bad(f"{CHECKSUM}: 0x12345678, expected 0xFFFFF0F4, at byte 11264")
def footer_checksum():
    """Both footers have a wrong checksum."""
    return with_footer(checksum=0x12345678)


@bad(f"{CHECKSUM}: 0xFFFFF2A6, expected 0xFFFFF2A5, at byte 11264")
def footer_checksum_of_hidden():
    """Hidden with the old checksum, but not by tapdisk 0.1 or 1.1."""
    disk = with_footer(creator=b"tap\0", creator_version=0x00010003)
    disk.footer.checksum = int.from_bytes(disk.footer.pack()[64:68], "big")
    disk.footer.reserved = b"\1" + bytes(426)
    return disk


@bad("the footer's format version is not 1.0: 0x00020000, at byte 11264")
def footer_version():
    """A format version of 2.0."""
    return with_footer(version=0x00020000)


@bad(f"{KIND}: 0, at byte 11264")
def footer_kind_0():
    """Type 0, none."""
    return with_footer(kind=0)


@bad(f"{KIND}: 1, at byte 11264")
def footer_kind_1():
    """Type 1, reserved."""
    return with_footer(kind=1)


@bad(f"{KIND}: 5, at byte 11264")
def footer_kind_5():
    """Type 5, reserved."""
    return with_footer(kind=5)


@bad(f"{KIND}: 6, at byte 11264")
def footer_kind_6():
    """Type 6, reserved."""
    return with_footer(kind=6)


@bad(f"{KIND}: 4294967295, at byte 11264")
def footer_kind_of_ones():
    """All bits of the type are ones."""
    return with_footer(kind=2**32 - 1)


@bad(f"{SIZE}: 0 bytes, at byte 11264")
def footer_size_0():
    """The size is 0."""
    return with_footer(size=0)


@bad(f"{SIZE}: 16383 bytes, at byte 11264")
def footer_size_odd():
    """The size is not a multiple of 512."""
    return with_footer(size=4 * BLOCK - 1)


@bad(f"{HEADER}: at byte 0")
def header_at_0():
    """The data offset points at the footer's copy."""
    return header_at(0)


def header_at(offset):
    disk = sample()
    disk.spoil(0, disk.footer.but(data_offset=offset).pack())
    disk.tail = disk.footer.but(data_offset=offset).pack()
    return disk


@bad(f"{HEADER}: at byte 18446744073709551615")
def header_nowhere():
    """A dynamic disk with the data offset of a fixed one."""
    return header_at(ONES)


@bad(f"{HEADER}: at byte 700")
def header_off_sectors():
    """The header does not begin at a sector."""
    return header_at(700)


@bad(f"{HEADER}: at byte 10752")
def header_over_footer():
    """The header reaches into the footer at the end."""
    return header_at(2048 + 2 * STRIDE - SECTOR)


@bad(f"{HEADER}: at byte 9223372036854775808")
def header_at_8_eib():
    """The header's offset would be negative as a signed number."""
    return header_at(2**63)


@bad('the dynamic header does not begin with "cxsparse": at byte 1024')
def header_elsewhere():
    """The footer points into the middle of the header."""
    return header_at(1024)


@bad('the dynamic header does not begin with "cxsparse": at byte 512')
def header_cookie():
    """The header has another cookie."""
    return with_header(cookie=b"cxsparsE")


@bad("the dynamic header's checksum is wrong: 0x12345678, expected 0xFFFFF483, at byte 512")
def header_checksum():
    """The header has a wrong checksum."""
    return with_header(checksum=0x12345678)


@bad("the dynamic header's version is not 1.0: 0x00010001, at byte 512")
def header_version():
    """The header's version is 1.1."""
    return with_header(version=0x00010001)


@bad(f"{SPARSE}: 0, at byte 512")
def block_size_0():
    """The block size is 0."""
    return of_block_size(0)


def of_block_size(size):
    disk = sample()
    disk.spoil(512, disk.header.but(block=size).pack())
    return disk


@bad(f"{SPARSE}: 256, at byte 512")
def block_size_256():
    """The block size is half a sector."""
    return of_block_size(256)


@bad(f"{SPARSE}: 4608, at byte 512")
def block_size_of_nine_sectors():
    """Blocks of 9 sectors."""
    return of_block_size(4608)


@bad(f"{SPARSE}: 3145728, at byte 512")
def block_size_3_mib():
    """Blocks of 3 MiB."""
    return of_block_size(3 * MIB)


@bad(f"{SPARSE}: 4294967295, at byte 512")
def block_size_of_ones():
    """All bits of the block size are ones."""
    return of_block_size(2**32 - 1)


@bad(f"{SPLIT}: \"split-fixed.v01\" is there")
def split_fixed():
    """A fixed disk in two files, with the footer at the end of the second."""
    disk = Fixed(64 * KIB)
    disk.write(0, noise("fixed", 64 * KIB))
    disk.cut = 40 * KIB
    rest = noise("fixed", 64 * KIB)[40 * KIB :] + disk.footer.pack()
    return disk, {"split-fixed.v01": rest}


@bad(f"{SPLIT}: \"split-dynamic.v01\" is there")
def split_dynamic():
    """A dynamic disk in three files, with a copy of the footer in the first."""
    return split(10 * KIB, "split-dynamic")


def split(length, name):
    disk = Dynamic(8 * BLOCK)
    disk.write(0, noise("all", 6 * BLOCK))
    data = bytearray(disk.lay_out().length)
    for offset, piece in disk.lay_out().pieces:
        data[offset : offset + len(piece)] = piece
    disk.cut = length
    parts = [bytes(data[at : at + length]) for at in range(length, len(data), length)]
    return disk, {f"{name}.v{number:02}": part for number, part in enumerate(parts, 1)}


@bad(f"{SPLIT}: \"split-of-blocks-in-one.v01\" is there")
def split_of_blocks_in_one():
    """A dynamic disk in two files. All its blocks are in the first, so they could be read."""
    disk = sample()
    end = 2048 + 2 * STRIDE
    disk.cut = end
    return disk, {"split-of-blocks-in-one.v01": disk.footer.pack()}
