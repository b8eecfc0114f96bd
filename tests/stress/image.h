/*
 * Images made byte by byte, with nothing of the library's own code, as other programs might have
 * left them: small blocks in any order, gaps, bitmaps set in part, chains of them.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

enum { IMAGE_CHAIN_MAX = 4 };

/* The files that make up a disk, the disk's own first, then its parent, and so on. */
struct image_chain {
    unsigned count;
    char files[IMAGE_CHAIN_MAX][NAME_MAX + 1];
    bool is_tidy; /* zeros under clear bits, bits in whole bytes: as we leave images ourselves */
};

/* What images a disk is made of. */
struct image_plan {
    uint64_t size;    /* bytes, a multiple of 512 */
    uint32_t block;   /* bytes of a block's data, a power of two from 512 on */
    bool is_fixed;    /* the disk, or the base of its chain, is a fixed one */
    bool is_tidy;     /* as in struct image_chain */
    bool is_empty;    /* nothing is written yet */
    unsigned parents; /* how many the disk has: above 0 it is a differencing one */
};

/* Draw a plan for a kind: "dynamic", "fixed", "partial" (bitmaps), "chain"; false for no kind. */
bool image_draw_plan(const char *kind, uint64_t *seed, struct image_plan *ret);

/*
 * Make the images of a disk in a folder; its parents are called NAME-1, NAME-2, and so on.
 *
 *   content  of plan->size bytes; receives what the disk holds
 *
 * Ends the test where a file cannot be made.
 */
void image_make(const char *folder, const char *name, const struct image_plan *plan, uint64_t *seed,
                uint8_t *content, struct image_chain *ret);
