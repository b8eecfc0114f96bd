/*
 * A campaign: the same disk made over and over and cut, at the first stop, the second, the third,
 * until it is made uncut; what remains is judged each time and counted.
 */
#pragma once

#include "maker.h"
#include "remains.h"

/* Where to cut one run; a visitor's argument. */
struct cut {
    const struct maker *maker;
    bool is_store_only; /* count only the stops of calls that touch the store */
    unsigned left;      /* stops until the cut */
    enum event at;      /* set by the cut: the call that it came before or after */
    bool is_before;
};

/* A tracer_visit: counts down, and cuts. */
bool cut_visit(void *arg, const struct tracer_stop *stop);

struct campaign {
    struct maker maker;
    const char *mutation; /* its name; NULL for none */
    struct image whole;
    unsigned cuts, absent, there, faults;
    bool is_seen[EVENT_COUNT]; /* there was a cut before this call */
};

/*
 * Begin: make one disk without a cut, as the measure for all others.
 *
 *   way, mutation  their names; mutation may be NULL
 *   folder         where the store comes and goes; lives as long as the campaign
 */
void campaign_begin(struct campaign *campaign, const char *way, const char *mutation,
                    const char *folder, uint64_t size_mb);

/*
 * Judge what remains of one run, count it and clear it away.
 *
 *   cut     where it was cut; NULL when it was not
 *   report  as maker_run() gave it
 */
void campaign_judge(struct campaign *campaign, const struct cut *cut, int report);

/*
 * End: print the figures.
 *
 *   cuts_min  below that many cuts the campaign proves nothing
 *
 * Returns the test's exit status: without a mutation, success when there was no fault; with one,
 * success when it was noticed.
 */
int campaign_end(struct campaign *campaign, unsigned cuts_min);
