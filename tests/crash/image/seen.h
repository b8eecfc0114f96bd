/*
 * The states seen so far, so that each is examined once however often it comes up.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "medium.h"

/* How closely a state was examined. */
enum depth {
    DEPTH_NONE,
    DEPTH_READ,   /* read, by us and by the library */
    DEPTH_OPENED, /* and opened for writing */
    DEPTH_MENDED, /* and that opening cut everywhere, and what is done after it */
};

/* What is known of a state. */
struct seen_state {
    struct state_key key;
    enum depth depth;
    bool has_tail;       /* a footer at the end of the file */
    struct content disk; /* what the disk holds */
};

struct seen {
    struct seen_state **slots; /* a hash table */
    uint64_t count, slot_count;
};

/* Find a state, or add it with DEPTH_NONE. The pointer stays good until seen_free(). */
struct seen_state *seen_find(struct seen *seen, struct state_key key);

void seen_free(struct seen *seen);
