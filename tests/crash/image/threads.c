/* SPDX-License-Identifier: MIT */
/*
 * Workloads of two threads. Each order holds one of them at one of its calls.
 */
#include "workload.h"

static const struct plan fresh = {.type = TYPE_DYNAMIC, .block_sectors = 2, .blocks = 6};
static const struct plan used = {
    .type = TYPE_DYNAMIC,
    .block_sectors = 2,
    .blocks = 6,
    .allocated = 2,
};

static void open_disk(struct play *play)
{
    play_open(play, false);
}

/* With slots made ahead, so that a first write finds one. */
static void open_with_slots(struct play *play)
{
    play_open(play, false);
    play_write(play, block(play, 5), 1);
    play_flush(play);
}

static void write_new_block(struct play *play)
{
    play_write(play, block(play, 2), 1);
}

static void write_new_block_and_flush(struct play *play)
{
    play_write(play, block(play, 2) + 1, 1);
    play_flush(play);
}

static void write_another_block_and_flush(struct play *play)
{
    play_write(play, block(play, 3), 2);
    play_flush(play);
    play_write(play, block(play, 4), 1);
}

static void overwrite(struct play *play)
{
    play_write(play, block(play, 0), 1);
}

static void overwrite_and_flush(struct play *play)
{
    play_write(play, block(play, 0), 2);
    play_flush(play);
}

/* The slot is freed, made ready by a flush, and used by another block, in one sector only. */
static void discard_and_reuse(struct play *play)
{
    play_discard(play, block(play, 0), 2);
    play_flush(play);
    for (uint32_t i = 2; i < 6; i++)
        play_write(play, block(play, i) + 1, 1);
    play_flush(play);
}

static void discard_two(struct play *play)
{
    play_discard(play, block(play, 0), 4);
    play_flush(play);
}

static void flush(struct play *play)
{
    play_flush(play);
}

static const struct workload rows[] = {
    {.name = "two-writers-one-block",
     .plan = &fresh,
     .hosts = ON_ALL,
     .life = open_with_slots,
     .players = {write_new_block, write_new_block_and_flush}},
    {.name = "two-writers-one-block-of-a-fresh-disk",
     .plan = &fresh,
     .hosts = ON_ALL,
     .life = open_disk,
     .players = {write_new_block, write_new_block_and_flush}},
    {.name = "two-writers-two-blocks",
     .plan = &fresh,
     .hosts = ON_ALL,
     .life = open_disk,
     .players = {write_new_block_and_flush, write_another_block_and_flush},
     .end = flush},
    {.name = "overwrite-against-discard",
     .plan = &used,
     .hosts = ON_A | ON_X,
     .life = open_disk,
     .players = {overwrite, discard_and_reuse}},
    {.name = "overwrite-and-flush-against-discard",
     .plan = &used,
     .hosts = ON_A | ON_D,
     .life = open_disk,
     .players = {overwrite_and_flush, discard_and_reuse}},
    {.name = "two-discards",
     .plan = &used,
     .hosts = ON_A | ON_D,
     .life = open_disk,
     .players = {discard_two, discard_and_reuse}},
    {.name = "two-flushes",
     .plan = &fresh,
     .hosts = ON_ALL,
     .life = open_with_slots,
     .players = {write_new_block_and_flush, flush}},
};

const struct workload_table thread_workloads = {"threads", rows, ROW_COUNT(rows)};
