/* SPDX-License-Identifier: MIT */
/*
 * Plans of images, and their maker. The disks are small, so that their crash states can be counted.
 * Some are as vhdfs makes them, some as other programs do.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "value.h"

enum plan_limits { PLAN_BLOCKS = 64 };

struct plan {
    uint32_t type;          /* TYPE_... of bytes.h */
    uint32_t block_sectors; /* a power of two */
    uint32_t blocks;
    uint32_t allocated; /* so many of the first blocks, filled with fresh values */

    uint32_t entries; /* of the table; 0 for one per block */

    /* images of other programs */
    bool is_packed;   /* blocks without alignment to 4 KiB */
    uint8_t bitmap;   /* every byte of every bitmap; 0 stands for all set */
    bool has_rubbish; /* under clear bits lie other values than zeros */

    /* differencing disks */
    uint64_t parent_blocks; /* bit i: block i of the parent has data */
    bool has_locator;       /* behind the table, in three sectors */
};

/* The size of the disk, in sectors. */
static inline uint32_t plan_sectors(const struct plan *plan)
{
    return plan->block_sectors * plan->blocks;
}

/* Do sectors under clear bits show the parent's data? */
static inline bool plan_has_parent(const struct plan *plan)
{
    return plan->type == 4;
}

/* The disk names of the parent's image, and of a copy of it. */
#define PLAN_PARENT "parent"
#define PLAN_OTHER  "other"

/* The file names of both, by number. A relinked disk has the second one as its parent. */
enum { PLAN_PARENTS = 2 };
extern const char *const plan_parents[PLAN_PARENTS];

/* An image made by a plan. */
struct made {
    struct content file;
    struct content disk;        /* content of the disk */
    struct content parent_file; /* differencing disks: the parent's image */
    struct content parent_disk; /* and the parent's content */
};

/* Make an image by a plan. The caller releases it by made_free(). */
struct made plan_make(const struct plan *plan);

/* Release the contents of an image that was made. */
void made_free(struct made *made);
