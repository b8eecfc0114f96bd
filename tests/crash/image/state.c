/* SPDX-License-Identifier: MIT */
#include "state.h"

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/* The key of a state is the sum of its sectors' keys, so the key of one sector can be exchanged. */
static void key_add(struct state_key *key, uint32_t sector, uint32_t value, uint64_t times)
{
    uint64_t both = (uint64_t)sector << 32 | value;

    key->a += times * mix(both + UINT64_C(0x9E3779B97F4A7C15));
    key->b += times * mix(both ^ UINT64_C(0xD1B54A32D192ED03));
}

void state_set_key(struct state *state)
{
    const struct content *file = &state->file;

    state->key = (struct state_key){file->count, mix(file->count)};
    for (uint32_t i = 0; i < file->count; i++)
        key_add(&state->key, i, file->values[i], 1);
}

struct state state_of(const struct content *file)
{
    struct state state = {.file = content_copy(file)};

    state_set_key(&state);
    return state;
}

void state_set(struct state *state, uint32_t sector, uint32_t value)
{
    uint32_t *at = &state->file.values[sector];

    key_add(&state->key, sector, *at, (uint64_t)-1);
    key_add(&state->key, sector, value, 1);
    *at = value;
}
