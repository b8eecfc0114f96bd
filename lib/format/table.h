/* SPDX-License-Identifier: MIT */
/*
 * The block allocation table: for each block of the disk the sector where its bitmap begins in the
 * file, big-endian.
 *
 * Source: VHD specification 1.0, "Block Allocation Table and Data Blocks".
 */
#pragma once

#include <stdint.h>

#include "format/block.h"
#include "format/header.h"

/* Byte offset of a block's entry in the file. */
static inline uint64_t vhd_table_entry_offset(const struct vhd_header *header, uint32_t block)
{
    return header->table_offset + UINT64_C(4) * block;
}

/*
 * Write one entry. An entry lies inside one sector, so a crash leaves it old or new.
 *
 *   fd      the image, open for writing
 *   sector  sector of the block's bitmap, or VHD_UNALLOCATED
 *
 * Returns 0, or the negative errno of pwrite(2).
 */
int vhd_table_write_entry(int fd, const struct vhd_header *header, uint32_t block, uint32_t sector);
