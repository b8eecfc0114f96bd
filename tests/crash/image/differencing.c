/* SPDX-License-Identifier: MIT */
/*
 * Workloads of differencing disks, whose unwritten sectors are the parent's. A subblock has eight
 * sectors. The first blocks of the parent hold data.
 */
#include "workload.h"

static const struct plan fresh = {
    .type = TYPE_DIFFERENCING,
    .block_sectors = 16,
    .blocks = 4,
    .parent_blocks = 0x3,
};
static const struct plan used = {
    .type = TYPE_DIFFERENCING,
    .block_sectors = 16,
    .blocks = 4,
    .allocated = 1,
    .parent_blocks = 0x3,
};

/* A block over data of the parent, and one over a hole. */
enum { OVER_DATA = 1, OVER_NOTHING = 2 };

static void open_disk(struct play *play)
{
    play_open(play, false);
}

static void first_write(struct play *play)
{
    play_open(play, false);
    play_write(play, block(play, OVER_DATA) + 3, 1);
    play_flush(play);
    play_write(play, block(play, OVER_DATA) + 3, 2);
    play_flush(play);
}

static void several_subblocks(struct play *play)
{
    play_open(play, false);
    play_write(play, block(play, OVER_DATA) + 6, 4);
    play_write(play, block(play, 0), 8);
    play_flush(play);
    play_write(play, block(play, 0) + 15, 2);
    play_write_bytes(play, (uint64_t)block(play, 0) * SECTOR + 4000, 200);
    play_flush(play);
    play_write(play, block(play, 3) + 15, 1);
    play_close(play);
}

/* Early bits: they may go with the data. */
static void over_nothing(struct play *play)
{
    play_open(play, false);
    play_write(play, block(play, OVER_NOTHING) + 1, 1);
    play_flush(play);
    play_write(play, block(play, OVER_NOTHING) + 9, 1);
    play_flush(play);
    play_write(play, block(play, OVER_NOTHING) + 1, 2);
}

static void discard_over_data(struct play *play)
{
    play_open(play, false);
    play_write(play, block(play, OVER_DATA), 2);
    play_flush(play);
    play_discard(play, block(play, OVER_DATA), 16);
    play_flush(play);
    play_write(play, block(play, 0) + 2, 1);
    play_discard(play, block(play, 0), 16);
    play_flush(play);
    play_write(play, block(play, OVER_DATA) + 5, 1);
}

static void discard_never_written(struct play *play)
{
    play_open(play, false);
    play_discard(play, block(play, OVER_DATA) + 4, 12);
    play_flush(play);
    play_close(play);
}

static void discard_over_nothing(struct play *play)
{
    play_open(play, false);
    play_write(play, block(play, OVER_NOTHING), 10);
    play_flush(play);
    play_discard(play, block(play, OVER_NOTHING), 16);
    play_flush(play);
    play_write(play, block(play, OVER_DATA) + 1, 1);
    play_write(play, block(play, 3) + 1, 1);
    play_flush(play);
    play_discard(play, block(play, 3) + 8, 8);
    play_flush(play);
}

static void next_life(struct play *play)
{
    if (!play_open(play, false))
        return;
    play_write(play, block(play, OVER_DATA) + 4, 1);
    play_flush(play);
    play_write(play, block(play, OVER_NOTHING) + 2, 1);
    play_flush(play);
    play_observe(play);
}

/* Half of a block is written and synced; the other half is lost in the crash. */
static void write_half_and_lose_half(struct play *play)
{
    play_open(play, false);
    play_write(play, block(play, OVER_NOTHING), 1);
    play_flush(play);
    play_write(play, block(play, OVER_NOTHING) + 8, 8);
    play_write(play, block(play, OVER_DATA) + 8, 8);
}

/* After the crash, write one sector beside the lost ones. */
static void probe_beside(struct play *play)
{
    static const char mark[SECTOR] = "written after the crash";

    play_write_value(play, block(play, OVER_NOTHING) + 10, value_of(mark));
    play_write_value(play, block(play, OVER_DATA) + 10, value_of(mark));
    play_flush(play);
    play_observe(play);
}

static void write_one(struct play *play)
{
    play_write(play, block(play, OVER_DATA) + 1, 1);
}

static void write_one_and_flush(struct play *play)
{
    play_write(play, block(play, OVER_DATA) + 2, 1);
    play_flush(play);
}

static void write_beside_and_flush(struct play *play)
{
    play_write(play, block(play, OVER_DATA) + 9, 1);
    play_flush(play);
}

static void write_over_nothing(struct play *play)
{
    play_write(play, block(play, OVER_NOTHING) + 1, 1);
}

static void write_over_nothing_and_flush(struct play *play)
{
    play_write(play, block(play, OVER_NOTHING) + 2, 1);
    play_flush(play);
}

static void discard_both_and_flush(struct play *play)
{
    play_discard(play, block(play, OVER_DATA), 32);
    play_flush(play);
}

static void write_both(struct play *play)
{
    play_write(play, block(play, OVER_DATA) + 15, 2);
}

static void write_all(struct play *play)
{
    play_open(play, false);
    play_write(play, block(play, OVER_DATA), 32);
    play_flush(play);
}

static const struct workload rows[] = {
    {.name = "differencing-first-write",
     .plan = &fresh,
     .hosts = ON_ALL,
     .life = first_write,
     .next = next_life,
     .is_killed = true,
     .probe = probe_beside},
    {.name = "differencing-several-subblocks",
     .plan = &used,
     .hosts = ON_A | ON_D,
     .life = several_subblocks,
     .next = next_life,
     .is_killed = true,
     .probe = probe_beside},
    {.name = "differencing-over-nothing",
     .plan = &fresh,
     .hosts = ON_A | ON_X,
     .life = over_nothing,
     .next = next_life,
     .is_killed = true,
     .probe = probe_beside},
    {.name = "differencing-discard-over-data",
     .plan = &used,
     .hosts = ON_A,
     .life = discard_over_data,
     .next = next_life,
     .is_killed = true,
     .probe = probe_beside},
    {.name = "differencing-discard-never-written",
     .plan = &fresh,
     .hosts = ON_A,
     .life = discard_never_written,
     .next = next_life,
     .is_killed = true,
     .probe = probe_beside},
    {.name = "differencing-discard-over-nothing",
     .plan = &used,
     .hosts = ON_A | ON_X,
     .life = discard_over_nothing,
     .next = next_life,
     .is_killed = true,
     .probe = probe_beside},
    {.name = "differencing-crash-open-write-beside",
     .plan = &fresh,
     .hosts = ON_A,
     .life = write_half_and_lose_half,
     .next = next_life,
     .is_killed = true,
     .probe = probe_beside},
    {.name = "differencing-two-writers-one-subblock",
     .plan = &fresh,
     .hosts = ON_A | ON_D,
     .life = open_disk,
     .players = {write_one, write_one_and_flush},
     .probe = probe_beside},
    {.name = "differencing-two-writers-two-subblocks",
     .plan = &fresh,
     .hosts = ON_A,
     .life = open_disk,
     .players = {write_one_and_flush, write_beside_and_flush},
     .probe = probe_beside},
    {.name = "differencing-two-writers-over-nothing",
     .plan = &fresh,
     .hosts = ON_A,
     .life = open_disk,
     .players = {write_over_nothing, write_over_nothing_and_flush},
     .probe = probe_beside},
    {.name = "differencing-write-against-discard",
     .plan = &fresh,
     .hosts = ON_A,
     .life = write_all,
     .players = {write_both, discard_both_and_flush},
     .probe = probe_beside},
};

const struct workload_table differencing_workloads = {"differencing", rows, ROW_COUNT(rows)};
