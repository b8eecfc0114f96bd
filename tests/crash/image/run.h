/* SPDX-License-Identifier: MIT */
/*
 * A run: plays workloads and calls the judge for each.
 */
#pragma once

#include "judge.h"
#include "workload.h"

/* The effort of a run. */
struct effort {
    struct limits limits, nested_limits;
    uint32_t mended_share;
    uint32_t kills;       /* at most so many positions of a life, spread evenly */
    uint32_t random_runs; /* random lives, four in a row each */
    unsigned hosts;       /* ON_... */
    uint64_t seed;
};

/* The result of a run. */
struct tally {
    uint64_t tried, distinct, logs;
    char fault[2400]; /* empty: none */
};

/*
 * Run one workload on each of its hosts, up to the first fault.
 *
 *   sample    NULL for none
 *   is_quiet  print no logs
 */
void run_workload(const struct stage *stage, const struct workload *workload,
                  const struct effort *effort, struct sample *sample, bool is_quiet,
                  struct tally *ret);
