# SPDX-License-Identifier: MIT
"""Dynamic disks that read: sizes, blocks, bitmaps, tables and the order of all in the file."""
from case import good
from vhd import FREE, GIB, KIB, MIB, SECTOR, Dynamic, noise, round_up

BLOCK = 4 * KIB


def sample(size=4 * BLOCK, **more):
    """Of four blocks, 1 and 2 are allocated, in reverse order and in full."""
    disk = Dynamic(size, **more)
    for number in (2, 1):
        disk.write(number * disk.block, noise(number, disk.block))
    return disk


def of_block(block, count=3):
    """A disk with blocks of this size: some data in the first and the last one, none between."""
    disk = Dynamic(count * block, block=block)
    disk.write((count - 1) * block, noise("last", min(block, 16 * KIB)))
    disk.write(0, noise("first", min(block, 64 * KIB)))
    disk.write(block - SECTOR, noise("end", SECTOR))
    return disk


@good()
def dynamic_empty():
    """No block is allocated."""
    return Dynamic(4 * BLOCK)


@good()
def dynamic_one_block():
    """One block of four is allocated."""
    disk = Dynamic(4 * BLOCK)
    disk.write(BLOCK, noise("one", BLOCK))
    return disk


@good()
def dynamic_full():
    """All blocks are allocated, in the order of their numbers."""
    disk = Dynamic(8 * BLOCK)
    disk.write(0, noise("all", 8 * BLOCK))
    return disk


@good()
def dynamic_in_reverse_order():
    """All blocks are allocated, in reverse order."""
    disk = Dynamic(8 * BLOCK)
    for number in range(7, -1, -1):
        disk.write(number * BLOCK, noise(number, BLOCK))
    return disk


@good()
def dynamic_largest():
    """2040 GiB, with data at the start, in the middle and at the end."""
    disk = Dynamic(2040 * GIB, block=2 * MIB)
    for offset in (0, 1020 * GIB + 3 * MIB, 2040 * GIB - SECTOR):
        disk.write(offset, noise(offset, SECTOR))
    return disk


@good()
def dynamic_2093050_mb():
    """The largest disk that XenServer makes, above the specification's 2040 GiB."""
    disk = Dynamic(2093050 * MIB, block=2 * MIB)
    for offset in (0, 2040 * GIB - SECTOR, 2040 * GIB, 2093050 * MIB - SECTOR):
        disk.write(offset, noise(offset, SECTOR))
    return disk


@good()
def dynamic_2_tib():
    """The most sectors that 32 bits can number, and a block at the last place that an entry can
    name."""
    disk = Dynamic(2048 * GIB, block=2 * MIB)
    disk.write(2048 * GIB - SECTOR, noise("last", SECTOR))
    disk.allocate(7, at=(2**32 - 2 - 4097) * SECTOR)
    disk.write(15 * MIB, noise("far", SECTOR))
    return disk


@good()
def dynamic_one_sector():
    """A disk of one sector in a block of 2 MiB."""
    disk = Dynamic(SECTOR, block=2 * MIB)
    disk.write(0, noise("one", SECTOR))
    return disk


@good()
def block_of_512_bytes():
    """A block of one sector, with a bitmap of the same size."""
    disk = Dynamic(64 * SECTOR, block=SECTOR)
    for number in range(63, -1, -3):
        disk.write(number * SECTOR, noise(number, SECTOR))
    return disk


@good()
def block_of_1_kib():
    """Blocks of 1 KiB."""
    return of_block(KIB, 20)


@good()
def block_of_64_kib():
    """Blocks of 64 KiB."""
    return of_block(64 * KIB)


@good()
def block_of_512_kib():
    """Blocks of 512 KiB, the other size that Microsoft tested."""
    return of_block(512 * KIB)


@good()
def block_of_2_mib():
    """Blocks of 2 MiB, which nearly all programs write."""
    return of_block(2 * MIB)


@good()
def block_of_4_mib():
    """Blocks of 4 MiB, the smallest with a bitmap of two sectors."""
    return of_block(4 * MIB)


@good()
def block_of_64_mib():
    """Blocks of 64 MiB."""
    return of_block(64 * MIB)


@good()
def block_of_2_gib():
    """One block of 2 GiB, the largest power of two, for a disk of 1 MiB."""
    disk = Dynamic(MIB, block=2 * GIB)
    disk.write(64 * KIB, noise("some", 64 * KIB))
    return disk


@good()
def partial_last_block():
    """The disk ends inside its last block, and noise lies behind its end."""
    disk = Dynamic(2 * BLOCK + 5 * SECTOR)
    disk.write(2 * BLOCK, noise("last", BLOCK))
    disk.write(0, noise("first", BLOCK))
    return disk


@good()
def partial_last_block_of_2_mib():
    """3 MiB in blocks of 2 MiB, as in the smallest disk that vhdfs makes."""
    disk = Dynamic(3 * MIB, block=2 * MIB)
    disk.write(0, noise("first", 4 * KIB))
    disk.write(3 * MIB - 8 * KIB, noise("end", 8 * KIB))
    return disk


@good()
def bitmap_partly_set():
    """Sectors with clear bits read as zeros, although garbage lies there."""
    disk = Dynamic(3 * 64 * KIB, block=64 * KIB)
    disk.hide(0, noise("garbage", 2 * 64 * KIB))
    for sector in (0, 1, 2, 9, 17, 18, 40, 127, 128, 200, 255):
        disk.write(sector * SECTOR, noise(sector, SECTOR))
    return disk


@good()
def bitmap_every_other_bit():
    """Every other bit is set."""
    disk = Dynamic(64 * KIB, block=64 * KIB)
    disk.hide(0, noise("garbage", 64 * KIB))
    for sector in range(0, 128, 2):
        disk.write(sector * SECTOR, noise(sector, SECTOR))
    return disk


@good()
def bitmap_all_clear():
    """An allocated block without set bits reads as zeros."""
    disk = sample()
    disk.hide(3 * BLOCK, noise("garbage", BLOCK))
    return disk


@good()
def bitmap_partly_set_in_2_mib():
    """Some runs are set in blocks of 2 MiB, beside garbage."""
    disk = Dynamic(4 * MIB, block=2 * MIB)
    for at in (0, 300 * KIB, 2 * MIB - 16 * KIB, 3 * MIB):
        disk.hide(at, noise(at, 16 * KIB))
        disk.write(at + 3 * SECTOR, noise(at + 1, 11 * SECTOR))
    return disk


@good()
def bitmap_of_two_sectors_partly_set():
    """Some bits are set in both sectors of a bitmap."""
    disk = Dynamic(4 * MIB, block=4 * MIB)
    disk.hide(2 * MIB - 8 * KIB, noise("garbage", 16 * KIB))
    disk.write(2 * MIB - 3 * SECTOR, noise("across", 7 * SECTOR))
    return disk


@good()
def bitmap_bits_behind_the_end():
    """Bits are set behind the end of the disk, and in the padding of the bitmap."""
    disk = Dynamic(BLOCK + 3 * SECTOR)
    disk.write(BLOCK, noise("last", BLOCK))
    disk.blocks[1].bitmap[:] = b"\xFF" * 512
    return disk


@good()
def table_padding_of_zeros():
    """The padding of the table is zeros, as BLKTAP and VirtualBox leave it."""
    disk = sample()
    disk.padding = 0
    return disk


@good()
def table_with_a_surplus_entry():
    """One entry more than the size needs, as QEMU wrote it until 2020."""
    return sample(entries=5)


@good()
def table_with_many_surplus_entries():
    """The table is large enough for 2040 GiB, as vhd-util preallocates it."""
    return sample(size=8 * MIB, block=2 * MIB, entries=1044480)


@good()
def table_with_surplus_entries_of_noise():
    """Surplus entries hold any value; readers must ignore them."""
    disk = sample(entries=9)
    disk.changed_entries = {4: 0, 5: 3, 6: disk.blocks[1].offset // SECTOR, 7: 0x7FFFFFFF,
                            8: FREE - 1}
    return disk


@good()
def table_of_four_billion_entries():
    """The most surplus entries that the field allows; the table is a hole of 16 GiB."""
    return sample(entries=2**32 - 1)


@good()
def table_at_8192():
    """The table lies at 8192, as Windows may put it."""
    return sample(table=8192)


@good()
def table_at_4096():
    """The table lies at 4096."""
    return sample(table=4096)


@good()
def table_before_the_header():
    """The order is: copy of the footer, table, header, blocks."""
    return sample(table=512, header_at=1024, first=2048)


@good()
def table_behind_the_blocks():
    """The table lies in the last sector before the footer."""
    stride = SECTOR + BLOCK
    disk = sample(table=1536 + 2 * stride, first=1536)
    return disk


@good()
def header_behind_the_blocks():
    """The header lies behind the blocks, and the table at 512."""
    stride = SECTOR + BLOCK
    return sample(table=512, header_at=1024 + 2 * stride, first=1024)


@good()
def gap_before_the_blocks():
    """7 sectors of noise lie between the table and the first block."""
    disk = Dynamic(4 * BLOCK)
    disk.put(disk.next, noise("gap", 7 * SECTOR))
    disk.skip(7 * SECTOR)
    disk.write(3 * BLOCK, noise("three", BLOCK))
    return disk


@good()
def gaps_between_blocks():
    """A gap of some sectors follows each block."""
    disk = Dynamic(8 * BLOCK)
    for number in (5, 0, 7, 2):
        disk.write(number * BLOCK, noise(number, BLOCK))
        disk.skip((number + 1) * SECTOR)
    return disk


@good()
def data_on_4_kib():
    """Each block's data begins at a multiple of 4 KiB, as BLKTAP and Windows 8 write it."""
    disk = Dynamic(8 * MIB, block=2 * MIB)
    for number in (3, 0, 1):
        disk.skip(round_up(disk.next + SECTOR, 4096) - SECTOR - disk.next)
        disk.write(number * 2 * MIB + MIB, noise(number, 8 * KIB))
    disk.fill_bits()
    return disk


@good()
def slack_before_footer():
    """Slack of one block lies before the footer, with noise in it."""
    disk = sample()
    disk.slack = noise("slack", SECTOR + BLOCK)
    return disk


@good()
def sector_behind_the_table():
    """An empty disk with a sector of zeros between table and footer, as Microsoft makes them."""
    disk = Dynamic(4 * BLOCK)
    disk.slack = bytes(SECTOR)
    return disk


@good()
def room_of_a_block_between():
    """A gap of one block lies between two blocks, with a bitmap and noise in it."""
    disk = Dynamic(4 * BLOCK)
    disk.write(0, noise("zero", BLOCK))
    disk.put(disk.next, b"\xFF" * SECTOR + noise("freed", BLOCK))
    disk.skip(SECTOR + BLOCK)
    disk.write(BLOCK, noise("one", BLOCK))
    return disk
