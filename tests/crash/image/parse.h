/*
 * A reader of images for this test alone: it judges what the library must never leave behind, and
 * reads the content. It shares no code with the library.
 *
 * Source: durability, "Invariants".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "plan.h"
#include "value.h"

/* What was found in an image. */
struct parsed {
    bool has_tail;                 /* there is a footer at the end of the file */
    uint32_t entries[PLAN_BLOCKS]; /* the sectors where blocks begin, or NO_BLOCK */
    struct content disk;           /* what the disk holds */
    char fault[200];               /* what is wrong; "I3: ..." */
};

/*
 * Read an image.
 *
 *   plan    what it was made by
 *   made    the image as it was made: blocks that still are where they were then may be as others
 *           have written them
 *
 * Returns true when it keeps I1, I3, I4, I6, I7 and I8. ret->disk is released by content_free().
 */
bool parse(const struct content *file, const struct plan *plan, const struct made *made,
           struct parsed *ret);
