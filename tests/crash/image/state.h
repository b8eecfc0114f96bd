/* SPDX-License-Identifier: MIT */
/*
 * A possible state of the file, with a key by which states are compared.
 */
#pragma once

#include <stdint.h>

#include "value.h"

/* The key of a state. Two states with one key are practically impossible. */
struct state_key {
    uint64_t a, b;
};

/* A possible state of the file. */
struct state {
    struct content file;
    struct state_key key;
};

/* The state of a file with this content. Release it by content_free(&state.file). */
struct state state_of(const struct content *file);

/* Give a state the key of its file, after changes that had no state_set(). */
void state_set_key(struct state *state);

/* Give a sector of the file a value. The key changes too. */
void state_set(struct state *state, uint32_t sector, uint32_t value);
