/*
 * The judge: every state that a crash can leave behind, at every position of a log, has to keep the
 * invariants and hold what was promised; by our own reading of it, by the library's, and after it
 * was opened for writing, whose writes are a log that is judged in turn.
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
    uint32_t mended_share;       /* one state in so many is mended, the others are read */
    player *probe;               /* what is done to a state that was mended */
    struct sample *sample;       /* states for other tools to open; NULL for none */
    bool is_quiet;               /* tell of a fault in one line */
    bool is_failing;             /* the host fails while it is played */

    uint64_t seed;
    struct seen seen;
    uint64_t tried;   /* states, each as often as it came up */
    char fault[2300]; /* the first; empty: none so far */
};

/*
 * Judge a log.
 *
 *   from   positions before that have been judged already
 *   depth  how closely to look at each state
 *
 * Returns true when there is no fault.
 */
bool judge_log(struct judge *judge, const struct log *log, uint32_t from, enum depth depth);

/* Has a disk that was left clean its footer at the end? Tells of it. */
bool judge_left(struct judge *judge, const struct log *log);

/* Was there a fault while it was played? Tells of it, and returns false then. */
bool judge_play(struct judge *judge, const struct play *play);
