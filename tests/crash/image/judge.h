/* SPDX-License-Identifier: MIT */
/*
 * The judge: every state that a crash can leave at any position of a log must keep the invariants
 * and the promise. It reads each state with its own reader and with the library. Then it opens some
 * for writing and judges the log of that in turn.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "medium.h"
#include "parse.h"
#include "sample.h"
#include "schedule.h"
#include "seen.h"
#include "stage.h"

struct judge {
    /* set by the test */
    const struct stage *stage;
    const struct plan *plan;
    const struct made *made;
    enum host_class host;
    struct limits limits;        /* of a log */
    struct limits nested_limits; /* of the log that a mended state makes */
    uint32_t mended_share;       /* one state in so many is mended, the others are only read */
    player *probe;               /* operations on a state after it was mended */
    struct sample *sample;       /* states for other programs to open; NULL for none */
    bool is_quiet;               /* report a fault in one line */
    bool is_failing;             /* the host fails during the play */

    uint64_t seed;
    struct seen seen;
    uint64_t tried;   /* states, counted each time they occur */
    char fault[2300]; /* the first one; empty: none so far */
};

/*
 * Judge a log.
 *
 *   from   positions before this are already judged
 *   depth  the depth of examination for each state
 *
 * Returns true when there is no fault.
 */
bool judge_log(struct judge *judge, const struct log *log, uint32_t from, enum depth depth);

/* Does a footer end the file of a cleanly closed disk? Records a fault if not. */
bool judge_left(struct judge *judge, const struct log *log);

/* Did the play end without a fault? Records and prints the fault if not. */
bool judge_play(struct judge *judge, const struct play *play);
