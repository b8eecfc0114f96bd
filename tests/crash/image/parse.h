/* SPDX-License-Identifier: MIT */
/*
 * A reader of images for this test alone. It checks the invariants and reads the content. It shares
 * no code with the library.
 *
 * See lib/disk/README.md, "Promises and invariants".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "plan.h"
#include "value.h"

/* The result of reading an image. */
struct parsed {
    bool has_tail;                 /* a footer ends the file */
    uint32_t entries[PLAN_BLOCKS]; /* the sectors where blocks begin, or NO_BLOCK */
    uint32_t parent;               /* the number of the recorded one; 0 without one */
    struct content disk;           /* content of the disk */
    char fault[200];               /* the fault, which begins with the invariant: "I3: ..." */
};

/*
 * Read an image.
 *
 *   plan    the plan of the image
 *   made    the image as the maker made it. A block still in its old slot may break I6 as the plan
 *           says
 *
 * Returns true when it keeps I1, I3, I4, I6, I7 and I8. Release ret->disk by content_free().
 */
bool parse(const struct content *file, const struct plan *plan, const struct made *made,
           struct parsed *ret);
