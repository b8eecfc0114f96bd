/*
 * The medium: what can be on it when power is lost at a position of a log. Each sector holds what
 * it held at the last barrier, or anything written since; so does the file's length, in the ways of
 * each class of host. Barriers cover what had ended when they began. A barrier that fails covers
 * nothing, and what it should have covered no later one does.
 *
 * Source: durability, "The host, as assumed" and "What the crash recorder in the tests must model".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "log.h"
#include "recorder.h"

struct medium;

/* States are told apart by this; that two have one key is as good as impossible. */
struct state_key {
    uint64_t a, b;
};

/* A state that the file can be in. */
struct state {
    struct content file;
    struct state_key key;
};

/* How many states of a position to visit. */
struct limits {
    uint32_t all;   /* up to so many combinations: every one */
    uint32_t drawn; /* else all old, all new, each sector alone old or new, and so many at random */
};

/* Called for a state; returns false to end the visits. */
typedef bool state_visit(void *arg, const struct state *state);

/* A medium at position 0 of a log, which may grow longer meanwhile. */
struct medium *medium_new(const struct log *log, enum host_class host);

void medium_free(struct medium *medium);

/* Go one record further. */
void medium_step(struct medium *medium);

/* Is the file growing, so that its new length may be durable or not? */
bool medium_is_growing(const struct medium *medium);

/* The file as the host shows it there. To be released by content_free(). */
struct content medium_live(const struct medium *medium);

/* Visit states; the random ones follow from *seed. Returns false when a visit did. */
bool medium_each(struct medium *medium, struct limits limits, uint64_t *seed, state_visit *visit,
                 void *visit_arg);

/* The state that a file's content is. Released by content_free(&state.file). */
struct state state_of(const struct content *file);
