/* SPDX-License-Identifier: MIT */
/*
 * Workloads in which slots are freed and used again.
 */
#include "workload.h"

static const struct plan used = {
    .type = TYPE_DYNAMIC,
    .block_sectors = 2,
    .blocks = 6,
    .allocated = 3,
};

static void discard_and_reuse(struct play *play)
{
    play_open(play, false);
    play_discard(play, block(play, 0), 2);
    play_write(play, block(play, 3), 1);
    play_write(play, block(play, 4), 1);
    play_flush(play);
    play_write(play, block(play, 5) + 1, 1);
    play_flush(play);
}

static void discard_flush_write(struct play *play)
{
    play_open(play, false);
    play_discard(play, block(play, 0), 4);
    play_flush(play);
    play_write(play, block(play, 4), 1);
    play_write(play, block(play, 5) + 1, 1);
    play_flush(play);
    play_write(play, block(play, 0), 1);
}

static void discard_and_write_again(struct play *play)
{
    play_open(play, false);
    play_discard(play, block(play, 1), 2);
    play_write(play, block(play, 1), 1);
    play_flush(play);
    play_discard(play, block(play, 1), 2);
    play_discard(play, block(play, 1), 2);
    play_flush(play);
    play_write(play, block(play, 1) + 1, 1);
    play_write(play, block(play, 3) + 1, 1);
    play_flush(play);
}

static void discard_parts(struct play *play)
{
    play_open(play, false);
    play_discard(play, block(play, 0) + 1, 1);
    play_discard(play, block(play, 1) + 1, 2);
    play_write(play, block(play, 0) + 1, 1);
    play_flush(play);
    play_discard(play, block(play, 0) + 1, 4);
    play_flush(play);
}

/* The first blocks of the disk lie last in the file, so the file gets shorter. */
static void discard_top_and_close(struct play *play)
{
    play_open(play, false);
    play_discard(play, block(play, 0), 4);
    play_close(play);
    play_open(play, false);
    play_write(play, block(play, 4), 1);
    play_flush(play);
    play_discard(play, 0, plan_sectors(play->plan));
    play_flush(play);
    play_close(play);
}

static void discard_bottom_and_close(struct play *play)
{
    play_open(play, false);
    play_discard(play, block(play, 2), 2);
    play_flush(play);
    play_close(play);
    play_open(play, false);
    play_write(play, block(play, 5), 1);
    play_flush(play);
    play_write(play, block(play, 4) + 1, 1);
    play_close(play);
}

static const struct workload rows[] = {
    {.name = "discard-and-reuse",
     .plan = &used,
     .hosts = ON_ALL,
     .life = discard_and_reuse,
     .next = play_next_life,
     .is_killed = true},
    {.name = "discard-flush-write",
     .plan = &used,
     .hosts = ON_ALL,
     .life = discard_flush_write,
     .next = play_next_life,
     .is_killed = true},
    {.name = "discard-and-write-again",
     .plan = &used,
     .hosts = ON_ALL,
     .life = discard_and_write_again,
     .next = play_next_life,
     .is_killed = true},
    {.name = "discard-parts", .plan = &used, .hosts = ON_A | ON_X, .life = discard_parts},
    {.name = "discard-top-and-close",
     .plan = &used,
     .hosts = ON_ALL,
     .life = discard_top_and_close,
     .next = play_next_life,
     .is_killed = true},
    {.name = "discard-bottom-and-close",
     .plan = &used,
     .hosts = ON_ALL,
     .life = discard_bottom_and_close,
     .next = play_next_life,
     .is_killed = true},
};

const struct workload_table reuse_workloads = {"reuse", rows, ROW_COUNT(rows)};
