/* SPDX-License-Identifier: MIT */
/*
 * Workloads that give a differencing disk another record of its parent, and nothing else: its
 * content stays. The names of the two parents have other lengths, and both fit into the locators'
 * sectors.
 */
#include <errno.h>

#include "workload.h"

static const struct plan empty = {
    .type = TYPE_DIFFERENCING,
    .block_sectors = 16,
    .blocks = 4,
    .parent_blocks = 0x3,
};
static const struct plan without_locators = {
    .type = TYPE_DIFFERENCING,
    .block_sectors = 16,
    .blocks = 4,
    .allocated = 1,
    .parent_blocks = 0x3,
};
static const struct plan with_locator = {
    .type = TYPE_DIFFERENCING,
    .block_sectors = 16,
    .blocks = 4,
    .allocated = 1,
    .parent_blocks = 0x3,
    .has_locator = true,
};

static void relink(struct play *play)
{
    play_relink(play, 1);
}

static void relink_twice(struct play *play)
{
    play_relink(play, 1);
    play_relink(play, 0);
    play_relink(play, 0);
}

static void relink_after_a_crash(struct play *play)
{
    play_relink(play, 0);
    if (play_open(play, false)) {
        play_write(play, block(play, 2), 1);
        play_flush(play);
    }
}

/* Blocks lie behind the first ones, and the next life adds more. */
static void write_and_relink(struct play *play)
{
    play_open(play, false);
    play_write(play, block(play, 2), 1);
    play_flush(play);
    play_write(play, block(play, 3), 1);
    play_close(play);
    play_relink(play, 1);
    play_open(play, false);
    play_write(play, block(play, 1), 1);
    play_flush(play);
}

static void relink_again(struct play *play)
{
    play_relink(play, 0);
    play_next_life(play);
}

enum { WRITES = 1 << CALL_WRITE, SYNCS = 1 << CALL_SYNC_END };

static const struct workload rows[] = {
    {.name = "relink",
     .plan = &with_locator,
     .hosts = ON_ALL,
     .life = relink,
     .next = relink_after_a_crash,
     .is_killed = true},
    {.name = "relink-an-empty-disk",
     .plan = &empty,
     .hosts = ON_ALL,
     .life = relink,
     .next = relink_after_a_crash,
     .is_killed = true},
    {.name = "relink-without-locators",
     .plan = &without_locators,
     .hosts = ON_ALL,
     .life = relink_twice,
     .next = relink_after_a_crash,
     .is_killed = true},
    {.name = "relink-between-writes",
     .plan = &with_locator,
     .hosts = ON_A | ON_X,
     .life = write_and_relink,
     .next = play_next_life,
     .is_killed = true},
    {.name = "a-write-of-another-parent-fails",
     .plan = &with_locator,
     .hosts = ON_ALL,
     .life = relink,
     .next = relink_again,
     .failure = {WRITES, {ENOSPC, 0}, false}},
    {.name = "the-host-is-full-for-another-parent",
     .plan = &with_locator,
     .hosts = ON_ALL,
     .life = relink,
     .next = relink_again,
     .failure = {WRITES, {RECORDER_HALF, ENOSPC}, true}},
    {.name = "a-sync-of-another-parent-fails",
     .plan = &with_locator,
     .hosts = ON_ALL,
     .life = relink,
     .next = relink_again,
     .failure = {SYNCS, {EIO, 0}, false}},
};

const struct workload_table relink_workloads = {"relink", rows, ROW_COUNT(rows)};
