/* SPDX-License-Identifier: MIT */
/*
 * Workloads on images of other programs: blocks without alignment, and bitmaps set in part. Under
 * clear bits lie zeros, as the format demands, or rubbish.
 */
#include "workload.h"

static const struct plan packed = {
    .type = TYPE_DYNAMIC,
    .block_sectors = 4,
    .blocks = 5,
    .allocated = 3,
    .is_packed = true,
};
static const struct plan partial = {
    .type = TYPE_DYNAMIC,
    .block_sectors = 8,
    .blocks = 4,
    .allocated = 2,
    .is_packed = true,
    .bitmap = 0xC3,
};
static const struct plan rubbish = {
    .type = TYPE_DYNAMIC,
    .block_sectors = 8,
    .blocks = 4,
    .allocated = 2,
    .is_packed = true,
    .bitmap = 0xC3,
    .has_rubbish = true,
};

static void work(struct play *play)
{
    play_open(play, false);
    play_write(play, block(play, 1) + 3, 1);
    play_flush(play);
    play_write(play, block(play, 0) + 1, 2);
    play_write(play, block(play, 3), 1);
    play_flush(play);
    play_close(play);
}

static void discard_and_close(struct play *play)
{
    play_open(play, false);
    play_discard(play, block(play, 0), play->plan->block_sectors);
    play_close(play);
    play_open(play, false);
    play_write(play, block(play, 3), 1);
    play_discard(play, block(play, 1) + 1, 2);
    play_close(play);
}

static void discard_and_reuse(struct play *play)
{
    play_open(play, false);
    play_discard(play, block(play, 1), play->plan->block_sectors);
    play_flush(play);
    play_write(play, block(play, 3) + 1, 1);
    play_flush(play);
}

static const struct workload rows[] = {
    {.name = "foreign-packed",
     .plan = &packed,
     .hosts = ON_ALL,
     .life = work,
     .next = play_next_life,
     .is_killed = true},
    {.name = "foreign-packed-discard-and-close",
     .plan = &packed,
     .hosts = ON_ALL,
     .life = discard_and_close,
     .next = play_next_life,
     .is_killed = true},
    {.name = "foreign-packed-discard-and-reuse",
     .plan = &packed,
     .hosts = ON_ALL,
     .life = discard_and_reuse,
     .next = play_next_life,
     .is_killed = true},
    {.name = "foreign-bitmaps",
     .plan = &partial,
     .hosts = ON_A | ON_D,
     .life = work,
     .next = play_next_life,
     .is_killed = true},
    {.name = "foreign-bitmaps-and-rubbish",
     .plan = &rubbish,
     .hosts = ON_A | ON_X,
     .life = work,
     .next = play_next_life,
     .is_killed = true},
    {.name = "foreign-bitmaps-discard-and-reuse",
     .plan = &rubbish,
     .hosts = ON_A | ON_X,
     .life = discard_and_reuse,
     .next = play_next_life,
     .is_killed = true},
};

const struct workload_table foreign_workloads = {"foreign", rows, ROW_COUNT(rows)};
