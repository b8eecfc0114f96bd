/* SPDX-License-Identifier: MIT */
/*
 * Workloads on a host that fails: its file system is full, or it cannot write back its cache.
 */
#include <errno.h>

#include "workload.h"

static const struct plan used = {
    .type = TYPE_DYNAMIC,
    .block_sectors = 2,
    .blocks = 6,
    .allocated = 2,
};

/* No blocks and no gaps: only growth gives a slot. */
static const struct plan fresh = {
    .type = TYPE_DYNAMIC,
    .block_sectors = 2,
    .blocks = 6,
};

enum {
    WRITES = 1 << CALL_WRITE,
    ALL_WRITES = 1 << CALL_WRITE | 1 << CALL_ZERO | 1 << CALL_LENGTH,
    SYNCS = 1 << CALL_SYNC_END,
};

/* Whole blocks and single sectors, some in slots that were used before. */
static void work(struct play *play)
{
    play_open(play, false);
    play_write(play, block(play, 2), 2);
    play_write(play, block(play, 3) + 1, 1);
    play_flush(play);
    play_discard(play, block(play, 0), 2);
    play_write(play, block(play, 1), 1);
    play_flush(play);
    play_write(play, block(play, 4), 2);
    play_write(play, block(play, 5) + 1, 1);
    play_flush(play);
}

/* A first write, and no flush before the close. */
static void write_and_leave(struct play *play)
{
    play_open(play, false);
    play_write(play, block(play, 3), 2);
}

/* The disk stays open, and the host has space again. */
static void work_on(struct play *play)
{
    play_write(play, block(play, 4), 1);
    play_write(play, block(play, 2), 1);
    play_flush(play);
    play_observe(play);
}

static void work_then_work_on(struct play *play)
{
    work(play);
    if (!play->has_failed_flush)
        work_on(play);
}

static const struct workload rows[] = {
    {.name = "a-write-fails",
     .plan = &used,
     .hosts = ON_ALL,
     .life = work_then_work_on,
     .next = play_next_life,
     .failure = {WRITES, {ENOSPC, 0}, false}},
    {.name = "a-write-is-cut-short",
     .plan = &used,
     .hosts = ON_A | ON_D,
     .life = work_then_work_on,
     .next = play_next_life,
     .failure = {WRITES, {RECORDER_HALF, 0}, false}},
    {.name = "a-write-fails-half-way",
     .plan = &used,
     .hosts = ON_A | ON_D,
     .life = work_then_work_on,
     .next = play_next_life,
     .failure = {WRITES, {RECORDER_HALF, ENOSPC}, false}},
    {.name = "the-host-is-full",
     .plan = &used,
     .hosts = ON_ALL,
     .life = work,
     .next = play_next_life,
     .failure = {WRITES, {ENOSPC, ENOSPC}, true}},
    {.name = "the-host-has-no-holes",
     .plan = &used,
     .hosts = ON_A | ON_X,
     .life = work_then_work_on,
     .next = play_next_life,
     .failure = {1 << CALL_ZERO, {EOPNOTSUPP, EOPNOTSUPP}, true}},
    {.name = "the-host-is-full-for-a-new-block",
     .plan = &fresh,
     .hosts = ON_ALL,
     .life = write_and_leave,
     .failure = {WRITES, {ENOSPC, 0}, false}},
    {.name = "nothing-can-be-changed",
     .plan = &used,
     .hosts = ON_A | ON_X,
     .life = work,
     .next = play_next_life,
     .failure = {ALL_WRITES, {EIO, EIO}, true}},
    {.name = "a-sync-fails",
     .plan = &used,
     .hosts = ON_ALL,
     .life = work,
     .next = play_next_life,
     .failure = {SYNCS, {EIO, 0}, false}},
};

const struct workload_table failure_workloads = {"failures", rows, ROW_COUNT(rows)};
