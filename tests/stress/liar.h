/*
 * A target that does not do its duty, for tests of the tests: each lie must be noticed.
 */
#pragma once

#include "target.h"

struct liar {
    struct target target;
    struct target *honest; /* does the work */
    const char *lie;
    uint64_t deeds; /* atomic: now and then one is a lie */
};

/* All lies; the last is NULL. */
extern const char *const liar_lies[];

/* Begin to tell one of them; another name is none, and all goes well. */
struct liar liar_of(struct target *honest, const char *lie);
