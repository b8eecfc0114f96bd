/* SPDX-License-Identifier: MIT */
/*
 * A campaign makes the same disk again and again. It cuts at the first stop, the second, the third,
 * until one run has no cut. It judges and counts the remains of each run.
 */
#pragma once

#include "maker.h"
#include "remains.h"

/* The place of the cut in one run; a visitor's argument. */
struct cut {
    const struct maker *maker;
    bool is_store_only; /* count only the stops of calls that touch the store */
    unsigned left;      /* stops until the cut */
    enum event at;      /* set by the cut: the call before or after it */
    bool is_before;
};

/* A tracer_visit that counts down and cuts. */
bool cut_visit(void *arg, const struct tracer_stop *stop);

struct campaign {
    struct maker maker;
    const char *mutation; /* its name, or NULL */
    struct image whole;
    unsigned cuts, absent, there, faults;
    bool is_seen[EVENT_COUNT]; /* there was a cut before this call */
};

/*
 * Begin: make one disk without a cut, as the reference for all others.
 *
 *   way, mutation  their names; mutation may be NULL
 *   folder         place of the store, made and removed in each run; lives as long as the campaign
 *   size_mb        of the disk, unless it is fixed
 */
void campaign_begin(struct campaign *campaign, const char *way, const char *mutation,
                    const char *folder, uint64_t size_mb);

/*
 * Judge the remains of one run, count and remove them.
 *
 *   cut     the place of the cut; NULL for none
 *   report  from maker_run()
 */
void campaign_judge(struct campaign *campaign, const struct cut *cut, int report);

/* Has a mutation been noticed? Then more runs prove no more. */
bool campaign_has_noticed(const struct campaign *campaign);

/*
 * End: print the figures.
 *
 *   cuts_min  with fewer cuts the campaign proves nothing
 *
 * Returns the test's exit status. Without a mutation success means no fault; with one it means that
 * the fault was noticed.
 */
int campaign_end(struct campaign *campaign, unsigned cuts_min);
