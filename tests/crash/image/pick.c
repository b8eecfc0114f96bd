/* SPDX-License-Identifier: MIT */
#include "pick.h"

#include "random.h"

/* The sample of one among the visited states, each with the same chance. */
struct pick {
    uint64_t *seed;
    uint32_t count;
    struct content file;
};

static bool pick_visit(void *arg, const struct state *state)
{
    struct pick *pick = arg;

    pick->count++;
    if (random_below(pick->seed, pick->count) == 0) {
        content_free(&pick->file);
        pick->file = content_copy(&state->file);
    }
    return true;
}

struct content pick_state(const struct log *log, uint32_t position, enum host_class host,
                          uint64_t *seed)
{
    const struct limits limits = {.all = 64, .drawn = 32};
    struct medium *medium = medium_new(log, host);
    struct pick pick = {.seed = seed, .file = {NULL, 0}};
    uint64_t drawn = random_next(seed) | 1;

    for (uint32_t i = 0; i < position; i++)
        medium_step(medium);
    medium_each(medium, limits, &drawn, pick_visit, &pick);
    medium_free(medium);
    return pick.file;
}
