/* SPDX-License-Identifier: MIT */
/*
 * The states seen so far. Each is examined once, although it may occur often.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "medium.h"

/* The depth of an examination. */
enum depth {
    DEPTH_NONE,
    DEPTH_READ,   /* read, by the test's reader and by the library */
    DEPTH_OPENED, /* also opened for writing */
    DEPTH_MENDED, /* also probed after that opening; with crashes at every position of both */
};

/* Known facts of a state. */
struct seen_state {
    struct state_key key;
    enum depth depth;
    bool has_tail;       /* a footer ends the file */
    uint32_t parent;     /* the number of the recorded one */
    struct content disk; /* content of the disk */
};

struct seen {
    struct seen_state **slots; /* a hash table */
    uint64_t count, slot_count;
};

/* Find a state, or add it with DEPTH_NONE. The pointer stays valid until seen_free(). */
struct seen_state *seen_find(struct seen *seen, struct state_key key);

/* Release all states. */
void seen_free(struct seen *seen);
