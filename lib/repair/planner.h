/* SPDX-License-Identifier: MIT */
/*
 * A plan in the making. plan.c plans the metadata, plan_blocks.c the blocks.
 */
#pragma once

#include "image/places.h"
#include "repair/planned.h"

/* Entries of the table that are read at a time. */
enum { VHD_PLANNER_ENTRIES = 4096 };

struct vhd_planner {
    int fd;
    bool has_children;
    bool (*goes_on)(void *arg, unsigned percent);
    void *arg;
    struct vhd_repair_plan *plan;

    /* of a dynamic disk */
    struct vhd_image image;   /* with the header as it should be */
    struct vhd_places places; /* of all blocks that stay in the table */
    uint64_t end;             /* of all that is in use */
};

/* Has the caller been asked to stop? */
static inline bool vhd_planner_is_ended(const struct vhd_planner *planner)
{
    return planner->goes_on && !planner->goes_on(planner->arg, 0);
}

/* The file is in use up to this byte, at least. */
static inline void vhd_planner_use(struct vhd_planner *planner, uint64_t end)
{
    planner->end = end > planner->end ? end : planner->end;
}

/*
 * Plan the blocks of a dynamic disk, whose table can be used. Clears plan->is_known where they show
 * that the header is not right.
 *
 * Returns 0, -ECANCELED, -ENOMEM, or a negative errno of pread(2).
 */
int vhd_planner_plan_blocks(struct vhd_planner *planner);
