/* SPDX-License-Identifier: MIT */
/*
 * Places: where the table and the blocks of an image lie in its file, and whether they may lie
 * there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/footer.h"
#include "format/header.h"

/*
 * The most blocks of a disk that opens. Each costs memory while the disk is open, 64 MiB for this
 * many. A disk of 2 TiB has this many blocks of 128 KiB, and no program makes blocks below 512 KiB.
 */
#define VHD_IMAGE_BLOCKS_MAX (UINT32_C(1) << 24)

/* The space of an image's file, and its metadata. */
struct vhd_bounds {
    const struct vhd_footer *footer;
    const struct vhd_header *header;
    uint64_t end; /* where the footer begins, in bytes */
};

/*
 * Judge the place of the table: large enough for the disk, inside the file, and clear of the
 * header.
 *
 *   ret_blocks  receives the entries that the disk's size needs, unless these are too few or too
 *               many
 *
 * Returns VHD_SOUND, or with figures in *ret_fault:
 *   VHD_TABLE_TOO_SMALL  the table has too few entries for the size
 *   VHD_TOO_MANY_BLOCKS  more than VHD_IMAGE_BLOCKS_MAX
 *   VHD_TABLE_OUTSIDE    it reaches out of the file or over other metadata, or begins off a sector
 */
enum vhd_defect vhd_place_judge_table(const struct vhd_bounds *bounds, uint32_t *ret_blocks,
                                      struct vhd_fault *ret_fault);

/*
 * Find the metadata that a stretch of the file overlaps.
 *
 *   at, length  bytes
 *
 * Returns its words for a sentence, "the table", or NULL for none.
 */
const char *vhd_place_metadata_under(const struct vhd_bounds *bounds, uint64_t at, uint64_t length);

/*
 * Judge the place of one block.
 *
 *   sector  its entry, not VHD_UNALLOCATED
 *
 * Returns VHD_SOUND, or VHD_BLOCK_OUTSIDE with figures in *ret_fault.
 */
enum vhd_defect vhd_place_judge(const struct vhd_bounds *bounds, uint32_t block, uint32_t sector,
                                struct vhd_fault *ret_fault);

/* The places of allocated blocks. */
struct vhd_places {
    struct vhd_place {
        uint32_t sector, block;
    } * all;
    size_t count, capacity;
};

/* Add a place. Returns 0 or -ENOMEM. */
int vhd_places_add(struct vhd_places *places, uint32_t sector, uint32_t block);

/*
 * Sort by sector, then by block. Blocks have one length, so if any two overlap, two neighbours in
 * the sorted list do.
 */
void vhd_places_sort(struct vhd_places *places);

/* Do two places overlap? The sector of the first is not above that of the other. */
bool vhd_places_overlap(const struct vhd_bounds *bounds, const struct vhd_place *one,
                        const struct vhd_place *next);

/* Fill in the fault of two blocks that overlap. Returns VHD_BLOCK_OVERLAP. */
enum vhd_defect vhd_places_refuse(const struct vhd_place *one, const struct vhd_place *next,
                                  struct vhd_fault *ret_fault);

/* Free the list, and leave it empty. */
void vhd_places_free(struct vhd_places *places);
