/* SPDX-License-Identifier: MIT */
/*
 * What a repair will do: the result of a plan.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/survey.h"

/* A block's entry that changes. */
struct vhd_repair_entry {
    uint32_t block, old_sector;
    uint32_t sector; /* VHD_UNALLOCATED, or where a copy of the block goes */
};

/* A stretch of the file, in bytes. */
struct vhd_repair_stretch {
    uint64_t at, end;
};

struct vhd_repair_plan {
    struct vhd_survey survey;
    uint64_t length;  /* of the file */
    uint64_t old_end; /* of what can belong to the disk: the footer, if there is one at the end */

    bool is_known;     /* there is a footer to go by; without one nothing changes */
    bool changes_end;  /* the footer at the end, its place, or the length of the file */
    bool changes_copy; /* the footer's copy */
    bool changes_header;
    struct vhd_footer_disk footer; /* as it should be */
    uint64_t footer_at;            /* where it should be */
    struct vhd_header_disk header;

    struct vhd_repair_entry *entries; /* sorted by block */
    size_t entry_count, entry_capacity;
    size_t moves;                     /* entries that get a copy of their block */
    uint64_t block_length;            /* bitmap and data */
    struct vhd_repair_stretch zero;   /* a footer inside the content; empty for none */
    struct vhd_repair_stretch filled; /* missing entries of the table; empty for none */
    uint64_t extended;                /* blocks that zeros complete */
};
