/*
 * Blocks: the stretches of a file that the block allocation table points at. Each is a bitmap,
 * padded to whole sectors, and behind it the data.
 *
 * Source: VHD specification 1.0, "Block Allocation Table and Data Blocks".
 */
#pragma once

#include <stdint.h>

#include "base/rounding.h"
#include "format/footer.h"

/* The entry of a block that has no place in the file. */
#define VHD_UNALLOCATED UINT32_MAX

/* A block's data begins on a multiple of this in files that we write, so that pages are whole. */
#define VHD_DATA_ALIGNMENT 4096u

/* Bytes of a bitmap, padding included, for blocks of so many bytes of data. */
static inline uint32_t vhd_block_bitmap_length(uint32_t block_size)
{
    uint64_t bytes = div_round_up(block_size / VHD_SECTOR_SIZE, 8);
    return (uint32_t)round_up(bytes, VHD_SECTOR_SIZE);
}

/* Bytes of a block in the file: bitmap and data. */
static inline uint64_t vhd_block_length(uint32_t block_size)
{
    return (uint64_t)vhd_block_bitmap_length(block_size) + block_size;
}

/*
 * Where the next block's bitmap goes: the first place strictly above a sector of the file at which
 * the data behind it begins on VHD_DATA_ALIGNMENT. Strictly above, for that sector is the footer's,
 * or the end of the block before, whose grid it keeps to.
 *
 *   at  byte offset of the sector
 */
static inline uint64_t vhd_block_next_bitmap(uint64_t at, uint32_t block_size)
{
    uint64_t bitmap = vhd_block_bitmap_length(block_size);
    return round_up(at + VHD_SECTOR_SIZE + bitmap, VHD_DATA_ALIGNMENT) - bitmap;
}
