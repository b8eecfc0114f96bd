/*
 * A run of workloads: plays them and has the judge look at what they leave.
 */
#pragma once

#include "judge.h"
#include "workload.h"

/* How much is tried. */
struct effort {
    struct limits limits, nested_limits;
    uint32_t mended_share;
    uint32_t kills;       /* at most so many of the positions of a life, spread evenly */
    uint32_t random_runs; /* lives at random, four in a row each */
    unsigned hosts;       /* ON_... */
    uint64_t seed;
};

/* What came of it. */
struct tally {
    uint64_t tried, distinct, logs;
    char fault[2400]; /* empty: none */
};

/*
 * Run one workload on each of its hosts; ends with the first fault.
 *
 *   sample    NULL for none
 *   is_quiet  print no logs
 */
void run_workload(const struct stage *stage, const struct workload *workload,
                  const struct effort *effort, struct sample *sample, bool is_quiet,
                  struct tally *ret);
