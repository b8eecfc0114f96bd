/* SPDX-License-Identifier: MIT */
/*
 * Blocks: the stretches of a file that the block allocation table points at. Each is a bitmap,
 * padded to whole sectors, then the data.
 *
 * Source: VHD specification 1.0, "Block Allocation Table and Data Blocks".
 */
#pragma once

#include <stdint.h>

#include "base/rounding.h"
#include "format/footer.h"

/* The table's entry for a block without a place in the file. */
#define VHD_UNALLOCATED UINT32_MAX

/*
 * In files of this library a block's data begins on a multiple of this, so that it covers whole
 * pages.
 */
#define VHD_DATA_ALIGNMENT 4096u

/* Bytes of the bitmap, padding included, of a block with block_size bytes of data. */
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
 * The place of the next block's bitmap. It is the first one strictly above a given sector whose
 * data begins on VHD_DATA_ALIGNMENT. That sector is the last one of the block before, or the
 * footer, which stays until a new one is durable.
 *
 *   at  byte offset of the sector
 */
static inline uint64_t vhd_block_next_bitmap(uint64_t at, uint32_t block_size)
{
    uint64_t bitmap = vhd_block_bitmap_length(block_size);
    return round_up(at + VHD_SECTOR_SIZE + bitmap, VHD_DATA_ALIGNMENT) - bitmap;
}
