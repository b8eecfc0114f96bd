/*
 * Where things lie in an image that we write: copy of the footer, header, table, blocks whose data
 * begins on 4 KiB, footer. Images of others lie as they like; this says nothing of them.
 */
#pragma once

#include <stdint.h>

#define VHD_TABLE_OFFSET 1536u

/*
 * The largest disk that we make: 2040 GiB, that is 2,088,960 MB. The last block of a grown image
 * then still has a sector number of 32 bits.
 *
 * Source: VHD specification 1.0, "Hard Disk Footer Format", Current Size.
 */
#define VHD_SIZE_MAX (UINT64_C(2040) << 30)

/* How one disk's file is laid out. */
struct vhd_placement {
    uint32_t entries;      /* of the block allocation table: exactly one a block */
    uint32_t table_length; /* bytes, padded to whole sectors */
    uint64_t empty_length; /* bytes of the file while no block is allocated, footer included */
    uint64_t first_bitmap; /* byte offset of the first block's bitmap */
    uint64_t full_length;  /* bytes of the file once every block is allocated, footer included */
};

/*
 * The placement of a dynamic disk with blocks of 2 MiB.
 *
 *   size  bytes of the disk, 1 to VHD_SIZE_MAX
 */
struct vhd_placement vhd_placement_of(uint64_t size);
