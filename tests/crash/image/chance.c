/* SPDX-License-Identifier: MIT */
#include "chance.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "pick.h"
#include "random.h"
#include "workload.h"

/* A random range of sectors: often one block or a few, sometimes one sector. */
static void draw_range(const struct play *play, uint64_t *seed, uint32_t *ret_first,
                       uint32_t *ret_count)
{
    uint32_t sectors = plan_sectors(play->plan), size = play->plan->block_sectors;
    uint32_t first = random_below(seed, sectors), count = 1 + random_below(seed, size);

    if (random_below(seed, 2)) {
        first = first / size * size;
        count = size * (1 + random_below(seed, 2));
    }
    *ret_first = first;
    *ret_count = count < sectors - first ? count : sectors - first;
}

static void do_one(struct play *play, uint64_t *seed)
{
    uint32_t first, count, kind = random_below(seed, 16);

    draw_range(play, seed, &first, &count);
    if (kind < 6)
        play_write(play, first, count);
    else if (kind < 7)
        play_write_zeros(play, first, count);
    else if (kind < 9)
        play_write_bytes(play, (uint64_t)first * SECTOR + random_below(seed, SECTOR / 2),
                         1 + random_below(seed, SECTOR / 2));
    else if (kind < 12)
        play_discard(play, first, count);
    else if (kind < 15)
        play_flush(play);
    else
        play_observe(play);
}

void chance_live(struct play *play, uint64_t *seed)
{
    uint32_t count = 3 + random_below(seed, 12);

    if (!play_open(play, false))
        return;
    for (uint32_t i = 0; i < count; i++)
        do_one(play, seed);
    if (random_below(seed, 2))
        play_flush(play);
}

uint32_t chance_crash(struct log *log, const struct plan *plan, const struct made *made,
                      enum host_class host, uint64_t *seed)
{
    uint32_t position = random_below(seed, log->count + 1);
    struct log next;
    struct parsed parsed;

    if (random_below(seed, 2)) {
        log_fork(log, position, &next);
        log_free(log);
        *log = next;
        return position;
    }
    struct content file = pick_state(log, position, host, seed);
    if (!parse(&file, plan, made, &parsed))
        errx(EXIT_FAILURE, "a state that was judged is bad: %s", parsed.fault);
    log_free(log);
    log_init(log, &file, &parsed.disk);
    content_free(&file);
    content_free(&parsed.disk);
    return 0;
}

static const struct plan fresh = {.type = TYPE_DYNAMIC, .block_sectors = 2, .blocks = 6};
static const struct plan packed = {
    .type = TYPE_DYNAMIC,
    .block_sectors = 4,
    .blocks = 6,
    .allocated = 3,
    .is_packed = true,
    .bitmap = 0xF0,
    .has_rubbish = true,
};
static const struct plan child = {
    .type = TYPE_DIFFERENCING,
    .block_sectors = 16,
    .blocks = 4,
    .allocated = 1,
    .parent_blocks = 0x5,
};

static const struct workload rows[] = {
    {.name = "random", .plan = &fresh, .hosts = ON_ALL, .is_random = true},
    {.name = "random-packed", .plan = &packed, .hosts = ON_ALL, .is_random = true},
    {.name = "random-differencing", .plan = &child, .hosts = ON_ALL, .is_random = true},
};

const struct workload_table chance_workloads = {"random", rows, ROW_COUNT(rows)};
