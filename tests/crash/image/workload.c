/* SPDX-License-Identifier: MIT */
#include "workload.h"

#include <stddef.h>

static const struct workload_table *const tables[] = {
    &growth_workloads,       &reuse_workloads,  &thread_workloads,  &failure_workloads,
    &differencing_workloads, &relink_workloads, &foreign_workloads, &compact_workloads,
    &merge_workloads,        &chance_workloads,
};

const struct workload *workload_at(uint32_t number, const char **ret_table)
{
    for (size_t i = 0; i < ROW_COUNT(tables); i++) {
        if (ret_table)
            *ret_table = tables[i]->name;
        if (number < tables[i]->count)
            return &tables[i]->rows[number];
        number -= tables[i]->count;
    }
    return NULL;
}

void play_next_life(struct play *play)
{
    const uint32_t last = play->plan->blocks - 1;

    if (!play_open(play, false))
        return;
    play_write(play, block(play, last) + 1, 1);
    play_flush(play);
    play_discard(play, block(play, 0), play->plan->block_sectors);
    play_write(play, block(play, last - 1), 1);
    play_flush(play);
    play_observe(play);
}
