/* SPDX-License-Identifier: MIT */
/*
 * The places of all parts of a new image: copy of the footer, header, table, the parent's locators,
 * blocks whose data begins on 4 KiB, footer. Images of other programs may lie differently.
 */
#pragma once

#include <stdint.h>

#define VHD_TABLE_OFFSET 1536u

/*
 * The largest new disk: 2040 GiB, which is 2,088,960 MB. The sector number of its last block still
 * fits 32 bits.
 *
 * Source: VHD specification 1.0, "Hard Disk Footer Format", Current Size.
 */
#define VHD_SIZE_MAX (UINT64_C(2040) << 30)

/* The layout of one new disk's file. */
struct vhd_placement {
    uint32_t entries;      /* of the block allocation table: exactly one per block */
    uint32_t table_length; /* bytes, padded to whole sectors */
    uint64_t locators;     /* byte offset of the parent's locators, behind the table */
    uint64_t empty_length; /* bytes of the file while no block is allocated, footer included */
    uint64_t first_bitmap; /* byte offset of the first block's bitmap */
    uint64_t full_length;  /* bytes of the file once every block is allocated, footer included */
};

/*
 * The placement of a dynamic or differencing disk with blocks of 2 MiB.
 *
 *   size             bytes of the disk, 1 to VHD_SIZE_MAX
 *   locators_length  bytes of the parent's locators, whole sectors; 0 without a parent
 */
struct vhd_placement vhd_placement_of(uint64_t size, uint32_t locators_length);
