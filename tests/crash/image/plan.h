/*
 * Plans of images, and their maker: small disks whose crash states can be counted, as vhdfs makes
 * them and as others do.
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
    uint32_t allocated; /* so many of the first blocks; their sectors hold fresh values */

    uint32_t entries; /* of the table; 0 for as many as there are blocks */

    /* foreign images */
    bool is_packed;   /* block after block, no care for 4 KiB */
    uint8_t bitmap;   /* every byte of every bitmap; 0 stands for all set */
    bool has_rubbish; /* under clear bits something else than zeros */

    /* differencing disks */
    uint64_t parent_blocks; /* bit i: the parent's block i holds data */
};

static inline uint32_t plan_sectors(const struct plan *plan)
{
    return plan->block_sectors * plan->blocks;
}

/* Do sectors under clear bits show the parent? */
static inline bool plan_has_parent(const struct plan *plan)
{
    return plan->type == 4;
}

/* The parent's image, beside that of the disk. */
#define PLAN_PARENT "parent"

/* An image made by a plan. */
struct made {
    struct content file;
    struct content disk;        /* what the disk holds */
    struct content parent_file; /* differencing disks: the parent's image */
    struct content parent_disk; /* and what it holds */
};

struct made plan_make(const struct plan *plan);

void made_free(struct made *made);
