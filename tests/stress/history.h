/*
 * The history of one sector that everybody writes to: what it may hold. Each write fills the whole
 * sector with words that name it; of what is read later, the history says whether any order of the
 * writes explains it.
 *
 * Times are those of one clock that is counted up at the beginning and at the end of each call.
 * What was written can no longer be read by a call that began after another write had ended, which
 * had begun after the first had ended.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* The value of a sector that reads as zeros: discarded, or written with them. */
#define HISTORY_ZERO UINT64_C(0)

/* The value of a sector that holds what was found when all were at rest. */
#define HISTORY_SETTLED UINT64_C(1)

enum { HISTORY_RECORDS = 40 };

/* One write. */
struct history_record {
    uint64_t value; /* names it */
    uint64_t begin;
    uint64_t end;  /* UINT64_MAX while it goes on, and for ever where it was cut off */
    uint64_t dead; /* since when no call that begins can read it; UINT64_MAX: one still can */
    bool is_done;  /* it has ended, and well */
};

struct history {
    pthread_mutex_t lock; /* guards all; shared between processes */
    unsigned count;
    uint64_t forgotten; /* the latest dead of the records that had to make room */
    struct history_record records[HISTORY_RECORDS];
};

/* Make a history; the sector holds what is found there. */
void history_init(struct history *history);

/* Begin again: all are at rest, and the sector was looked at. */
void history_settle(struct history *history);

/*
 * A write begins, at that time.
 *
 * Returns false when there is no room to remember it: it must not be done.
 */
bool history_begin(struct history *history, uint64_t value, uint64_t begin);

/*
 * The write that began then has ended.
 *
 *   is_done  it has succeeded; else the sector may hold it or not
 */
void history_end(struct history *history, uint64_t value, uint64_t begin, uint64_t end,
                 bool is_done);

enum history_verdict {
    HISTORY_LEGAL,
    HISTORY_ILLEGAL,
    HISTORY_UNKNOWN, /* it may have been legal: what is known does not go back that far */
};

/*
 * May a call that began then have read this value? Where it may, and the call has ended at end,
 * a later one finds nothing older. That does not hold of a write that is still to fail:
 * the kernel shows of a file of ours what it then takes back.
 */
enum history_verdict history_read(struct history *history, uint64_t value, uint64_t begin,
                                  uint64_t end);

/*
 * May a call that ran from begin to end have read this byte of a word? A reader beside a writer may
 * see a word that is half new, because a processor may copy fewer than eight bytes at a time.
 *
 *   place    of the word in the sector
 *   shift    of the byte in the word, in bits
 *   settled  that byte of what was found when all were at rest
 *
 * Returns true also where what is known does not go back far enough.
 */
bool history_may_hold_byte(struct history *history, unsigned place, unsigned shift, uint8_t byte,
                           uint8_t settled, uint64_t begin, uint64_t end);

/* Was a write at work at that time or later? */
bool history_was_written(struct history *history, uint64_t since);
