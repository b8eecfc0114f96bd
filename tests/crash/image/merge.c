/* SPDX-License-Identifier: MIT */
/*
 * Workloads that merge a child into the disk. The child holds some blocks whole, or some sectors of
 * them.
 */
#include "workload.h"

static const struct plan dynamic = {
    .type = TYPE_DYNAMIC,
    .block_sectors = 8,
    .blocks = 4,
    .allocated = 1,
};
static const struct plan middle = {
    .type = TYPE_DIFFERENCING,
    .block_sectors = 8,
    .blocks = 4,
    .allocated = 1,
    .parent_blocks = 0x3,
};
static const struct plan fixed = {
    .type = TYPE_FIXED,
    .block_sectors = 8,
    .blocks = 4,
};

/* What the child holds: two blocks, whole or some sectors of them. */
static const struct plan whole = {
    .type = TYPE_DYNAMIC,
    .block_sectors = 8,
    .blocks = 4,
    .allocated = 2,
};
static const struct plan parts = {
    .type = TYPE_DYNAMIC,
    .block_sectors = 8,
    .blocks = 4,
    .allocated = 2,
    .bitmap = 0x3C,
};

static void merge_whole_blocks(struct play *play)
{
    play_open(play, false);
    play_merge(play, &whole);
    play_close(play);
}

static void merge_parts(struct play *play)
{
    play_open(play, false);
    play_write(play, block(play, 1) + 1, 1);
    play_flush(play);
    play_merge(play, &parts);
    play_close(play);
}

static const struct workload rows[] = {
    {.name = "merge-into-dynamic",
     .plan = &dynamic,
     .hosts = ON_ALL,
     .life = merge_whole_blocks,
     .next = play_next_life,
     .is_killed = true},
    {.name = "merge-parts-into-dynamic",
     .plan = &dynamic,
     .hosts = ON_ALL,
     .life = merge_parts,
     .next = play_next_life,
     .is_killed = true},
    {.name = "merge-into-a-child", .plan = &middle, .hosts = ON_ALL, .life = merge_whole_blocks},
    {.name = "merge-parts-into-a-child", .plan = &middle, .hosts = ON_ALL, .life = merge_parts},
    {.name = "merge-into-fixed", .plan = &fixed, .hosts = ON_A, .life = merge_parts},
};

const struct workload_table merge_workloads = {"merge", rows, ROW_COUNT(rows)};
