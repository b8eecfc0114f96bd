/* SPDX-License-Identifier: MIT */
/*
 * Workloads that compact a disk: blocks of zeros leave, and the last blocks of the file move into
 * their slots. The content never changes.
 */
#include <errno.h>

#include "workload.h"

static const struct plan used = {
    .type = TYPE_DYNAMIC,
    .block_sectors = 2,
    .blocks = 6,
    .allocated = 5,
};
static const struct plan packed = {
    .type = TYPE_DYNAMIC,
    .block_sectors = 4,
    .blocks = 5,
    .allocated = 4,
    .is_packed = true,
    .bitmap = 0xC3,
};
static const struct plan child = {
    .type = TYPE_DIFFERENCING,
    .block_sectors = 8,
    .blocks = 5,
    .allocated = 4,
    .parent_blocks = 0x2,
};

/* The first blocks of the disk lie last in the file, so they move to the slots of zeros. */
static void zeros_before_data(struct play *play)
{
    play_open(play, false);
    play_write_zeros(play, block(play, 2), 2 * play->plan->block_sectors);
    play_flush(play);
    play_compact(play);
    play_close(play);
}

/* Zeros that no flush has confirmed, between blocks with data. */
static void unsynced_zeros(struct play *play)
{
    play_open(play, false);
    play_write(play, block(play, 3), 1);
    play_write_zeros(play, block(play, 1), play->plan->block_sectors);
    play_compact(play);
    play_close(play);
    play_open(play, false);
    play_write(play, block(play, 1), 1);
    play_flush(play);
    play_close(play);
}

/* Discards have left gaps, and the disk was opened again. */
static void gaps_of_before(struct play *play)
{
    play_open(play, false);
    play_discard(play, block(play, 1), play->plan->block_sectors);
    play_close(play);
    play_open(play, false);
    play_compact(play);
    play_close(play);
}

static const struct workload rows[] = {
    {.name = "compact-zeros",
     .plan = &used,
     .hosts = ON_ALL,
     .life = zeros_before_data,
     .next = play_next_life,
     .is_killed = true},
    {.name = "compact-unsynced-zeros",
     .plan = &used,
     .hosts = ON_ALL,
     .life = unsynced_zeros,
     .next = play_next_life,
     .is_killed = true},
    {.name = "compact-gaps", .plan = &used, .hosts = ON_ALL, .life = gaps_of_before},
    {.name = "compact-packed", .plan = &packed, .hosts = ON_ALL, .life = zeros_before_data},
    {.name = "compact-child",
     .plan = &child,
     .hosts = ON_ALL,
     .life = zeros_before_data,
     .next = play_next_life,
     .is_killed = true},
    {.name = "compact-on-a-failing-host",
     .plan = &used,
     .hosts = ON_A,
     .life = zeros_before_data,
     .next = play_next_life,
     .failure = {1 << CALL_WRITE | 1 << CALL_SYNC_END, {EIO, 0}, false}},
};

const struct workload_table compact_workloads = {"compact", rows, ROW_COUNT(rows)};
