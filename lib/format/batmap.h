/* SPDX-License-Identifier: MIT */
/*
 * The batmap: blktap's bit map behind the block allocation table, one bit a block. A set bit says
 * that all sectors of the block have been written.
 *
 * Source: blktap, vhd/lib/libvhd.c and include/vhd.h, "vhd_batmap_header"; the VHD specification
 * does not mention it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/be.h"

/* As it lies on disk, in a sector of its own. */
struct vhd_batmap_disk {
    char cookie[8]; /* "tdbatmap" */
    struct be64 offset;
    struct be32 sectors;
    struct be32 version;
    struct be32 checksum;
    uint8_t marker;
};

/*
 * Read a batmap's header.
 *
 *   ret_offset  receives where the map begins in the file, bytes
 *   ret_length  receives its length, bytes
 *
 * Returns false where there is none.
 */
bool vhd_batmap_decode(const struct vhd_batmap_disk *disk, uint64_t *ret_offset,
                       uint64_t *ret_length);
