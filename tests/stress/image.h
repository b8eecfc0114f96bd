/* SPDX-License-Identifier: MIT */
/*
 * Images made byte by byte, without the library's code. They look like those of other programs:
 * small blocks in any order, gaps, bitmaps set in part, chains.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

enum { IMAGE_CHAIN_MAX = 4 };

/* The files of a disk: its own first, then its parent, and so on. */
struct image_chain {
    unsigned count;
    char files[IMAGE_CHAIN_MAX][NAME_MAX + 1];
    bool is_tidy; /* zeros under clear bits, whole bytes of bits: as our own images */
};

/* The shape of a disk's images. */
struct image_plan {
    uint64_t size;    /* bytes, a multiple of 512 */
    uint32_t block;   /* bytes of a block's data, a power of two, at least 512 */
    bool is_fixed;    /* the disk, or the base of its chain, is fixed */
    bool is_tidy;     /* as in struct image_chain */
    bool is_empty;    /* no block is allocated */
    unsigned parents; /* their number; above 0 the disk is a differencing one */
};

/*
 * Draw a plan for a kind: "dynamic", "fixed", "partial" (bitmaps), "chain". Returns false for other
 * kinds.
 */
bool image_draw_plan(const char *kind, uint64_t *seed, struct image_plan *ret);

/*
 * Make the images of a disk in a folder. Its parents are NAME-1, NAME-2, and so on.
 *
 *   content  buffer of plan->size bytes; receives the content of the disk
 *
 * Ends the test if a file cannot be made.
 */
void image_make(const char *folder, const char *name, const struct image_plan *plan, uint64_t *seed,
                uint8_t *content, struct image_chain *ret);
