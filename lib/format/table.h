/*
 * The block allocation table: one big-endian sector number for each block of the disk, telling
 * where the block's bitmap is in the file.
 *
 * Source: VHD specification 1.0, "Block Allocation Table and Data Blocks".
 */
#pragma once

#include <stdint.h>

#include "format/block.h"
#include "format/header.h"

/* Byte offset in the file of a block's entry. */
static inline uint64_t vhd_table_entry_offset(const struct vhd_header *header, uint32_t block)
{
    return header->table_offset + UINT64_C(4) * block;
}

/*
 * Write one entry. An entry never crosses a sector, so that it is old or new whatever happens.
 *
 *   fd      the image, open for writing
 *   sector  where the block's bitmap is, or VHD_UNALLOCATED
 *
 * Returns 0, or the negative errno of pwrite(2).
 */
int vhd_table_write_entry(int fd, const struct vhd_header *header, uint32_t block, uint32_t sector);
