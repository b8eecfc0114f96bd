/* SPDX-License-Identifier: MIT */
/*
 * The medium: its possible states when power is lost at a position of a log. Each sector holds its
 * value at the last barrier, or any value written since. The same holds for the file's length, by
 * host class. A barrier covers all writes that had ended when it began. A failed barrier covers
 * nothing, and no later one covers its writes.
 *
 * See lib/disk/README.md, "Hosts", and tests/README.md, "What the crash tests prove".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "log.h"
#include "recorder.h"
#include "state.h"

struct medium;

/* The number of states to visit at a position. */
struct limits {
    uint32_t all;   /* up to so many combinations: visit all */
    uint32_t drawn; /* above: all old, all new, each sector alone old or new, so many random */
};

/* A visitor of states; returns false to end the visits. */
typedef bool state_visit(void *arg, const struct state *state);

/* A medium at position 0 of a log, which may grow later. */
struct medium *medium_new(const struct log *log, enum host_class host);

/* Release a medium; its log stays. */
void medium_free(struct medium *medium);

/* Step over one record. */
void medium_step(struct medium *medium);

/* Has the file grown since the last barrier, so that its new length may be durable or not? */
bool medium_is_growing(const struct medium *medium);

/* The file in the host's view at the present position. Release it by content_free(). */
struct content medium_live(const struct medium *medium);

/* Visit states; *seed decides the random ones. Returns false when a visitor did. */
bool medium_each(struct medium *medium, struct limits limits, uint64_t *seed, state_visit *visit,
                 void *visit_arg);
