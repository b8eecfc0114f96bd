/* SPDX-License-Identifier: MIT */
#include "seen.h"

#include <err.h>
#include <stdlib.h>

static struct seen_state **find_slot(const struct seen *seen, struct state_key key)
{
    for (uint64_t i = key.a;; i++) {
        struct seen_state **slot = &seen->slots[i & (seen->slot_count - 1)];
        if (!*slot || ((*slot)->key.a == key.a && (*slot)->key.b == key.b))
            return slot;
    }
}

static void widen(struct seen *seen)
{
    struct seen wide = {
        .count = seen->count,
        .slot_count = seen->slot_count ? 2 * seen->slot_count : 1024,
    };

    wide.slots = calloc(wide.slot_count, sizeof(struct seen_state *));
    if (!wide.slots)
        err(EXIT_FAILURE, "states");
    for (uint64_t i = 0; i < seen->slot_count; i++) {
        if (seen->slots[i])
            *find_slot(&wide, seen->slots[i]->key) = seen->slots[i];
    }
    free(seen->slots);
    *seen = wide;
}

struct seen_state *seen_find(struct seen *seen, struct state_key key)
{
    if (seen->count >= seen->slot_count / 2)
        widen(seen);
    struct seen_state **slot = find_slot(seen, key);
    if (!*slot) {
        *slot = calloc(1, sizeof **slot);
        if (!*slot)
            err(EXIT_FAILURE, "states");
        (*slot)->key = key;
        seen->count++;
    }
    return *slot;
}

void seen_free(struct seen *seen)
{
    for (uint64_t i = 0; i < seen->slot_count; i++) {
        if (!seen->slots[i])
            continue;
        content_free(&seen->slots[i]->disk);
        free(seen->slots[i]);
    }
    free(seen->slots);
    *seen = (struct seen){.count = 0};
}
