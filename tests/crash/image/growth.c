/* SPDX-License-Identifier: MIT */
/*
 * Workloads in which a disk only grows: first writes, overwrites, close and open.
 */
#include "workload.h"

static const struct plan fresh = {.type = TYPE_DYNAMIC, .block_sectors = 2, .blocks = 6};
static const struct plan long_fresh = {.type = TYPE_DYNAMIC, .block_sectors = 2, .blocks = 20};
static const struct plan used = {
    .type = TYPE_DYNAMIC,
    .block_sectors = 2,
    .blocks = 6,
    .allocated = 3,
};

/*
 * A table of four sectors. It puts the footer of the empty image where alignment would put a
 * bitmap.
 */
static const struct plan long_table = {
    .type = TYPE_DYNAMIC,
    .block_sectors = 2,
    .blocks = 6,
    .entries = 512,
};
static const struct plan fixed = {.type = TYPE_FIXED, .block_sectors = 8, .blocks = 2};

static void first_write(struct play *play)
{
    play_open(play, false);
    play_write(play, block(play, 2), 1);
    play_flush(play);
    play_write(play, block(play, 2) + 1, 1);
    play_flush(play);
}

static void first_writes_unsynced(struct play *play)
{
    play_open(play, false);
    play_write(play, block(play, 1), 2);
    play_write(play, block(play, 0) + 1, 2);
    play_write(play, block(play, 3), 1);
}

static void growth(struct play *play)
{
    play_open(play, false);
    for (uint32_t i = 0; i < 10; i++) {
        play_write(play, block(play, (i * 3) % 20), 1 + i % 2);
        if (i % 3 == 2)
            play_flush(play);
    }
}

static void growth_on_flush(struct play *play)
{
    play_open(play, false);
    for (uint32_t i = 0; i < 8; i++) {
        play_write(play, block(play, i), 1);
        play_flush(play);
    }
    play_close(play);
}

static void overwrites(struct play *play)
{
    play_open(play, false);
    play_write(play, block(play, 0), 2);
    play_write(play, block(play, 1) + 1, 3);
    play_flush(play);
    play_write(play, block(play, 0), 1);
    play_write_bytes(play, (uint64_t)block(play, 2) * SECTOR + 100, 700);
    play_write_zeros(play, block(play, 1), 2);
    play_flush(play);
    play_close(play);
}

static void close_and_open(struct play *play)
{
    play_open(play, false);
    play_write(play, block(play, 1), 2);
    play_flush(play);
    play_write(play, block(play, 3), 1);
    play_close(play);
    play_open(play, false);
    play_write(play, block(play, 0), 1);
    play_close(play);
    play_open(play, false);
    play_write(play, block(play, 4), 2);
    play_flush(play);
    play_close(play);
}

/* Zeros written to an unallocated block need no slot, and still read as zeros. */
static void zeros(struct play *play)
{
    play_open(play, false);
    play_write_zeros(play, block(play, 0), 4);
    play_flush(play);
    play_write(play, block(play, 0), 1);
    play_write_zeros(play, block(play, 0), 2);
    play_flush(play);
}

static void write_fixed(struct play *play)
{
    play_open(play, false);
    play_write(play, 0, 3);
    play_write_bytes(play, 700, 900);
    play_flush(play);
    play_write(play, 2, 5);
    play_discard(play, 8, 4);
    play_flush(play);
    play_write(play, 15, 1);
}

static void next_on_fixed(struct play *play)
{
    play_open(play, false);
    play_write(play, 3, 2);
    play_flush(play);
}

static void probe_fixed(struct play *play)
{
    static const char mark[SECTOR] = "written after the crash";

    play_write_value(play, 5, value_of(mark));
    play_flush(play);
}

static const struct workload rows[] = {
    {.name = "first-write",
     .plan = &fresh,
     .hosts = ON_ALL,
     .life = first_write,
     .next = play_next_life,
     .is_killed = true},
    {.name = "first-writes-unsynced",
     .plan = &fresh,
     .hosts = ON_ALL,
     .life = first_writes_unsynced,
     .next = play_next_life,
     .is_killed = true},
    {.name = "first-write-under-a-long-table",
     .plan = &long_table,
     .hosts = ON_ALL,
     .life = first_write},
    {.name = "growth",
     .plan = &long_fresh,
     .hosts = ON_ALL,
     .life = growth,
     .next = play_next_life,
     .is_killed = true},
    {.name = "growth-on-flush", .plan = &long_fresh, .hosts = ON_ALL, .life = growth_on_flush},
    {.name = "overwrites",
     .plan = &used,
     .hosts = ON_A | ON_X,
     .life = overwrites,
     .next = play_next_life,
     .is_killed = true},
    {.name = "close-and-open",
     .plan = &fresh,
     .hosts = ON_ALL,
     .life = close_and_open,
     .next = play_next_life,
     .is_killed = true},
    {.name = "zeros", .plan = &fresh, .hosts = ON_A | ON_D, .life = zeros},
    {.name = "fixed",
     .plan = &fixed,
     .hosts = ON_A,
     .life = write_fixed,
     .next = next_on_fixed,
     .is_killed = true,
     .probe = probe_fixed},
};

const struct workload_table growth_workloads = {"growth", rows, ROW_COUNT(rows)};
