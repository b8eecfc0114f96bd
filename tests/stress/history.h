/* SPDX-License-Identifier: MIT */
/*
 * The history of one shared sector: the values that it may hold. Each write fills the whole sector
 * with words that name it. A read must return a value that some order of the writes explains.
 *
 * One clock counts up at the beginning and at the end of each call. A write W1 is dead, and no new
 * call may read it, after a second write has ended that began after the end of W1.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* The value of a sector that reads as zeros, discarded or written. */
#define HISTORY_ZERO UINT64_C(0)

/* The value of a sector with the content of the last check at rest. */
#define HISTORY_SETTLED UINT64_C(1)

enum { HISTORY_RECORDS = 40 };

/* One write. */
struct history_record {
    uint64_t value; /* names the write */
    uint64_t begin;
    uint64_t end;  /* UINT64_MAX while it runs, and for ever if it was cut off */
    uint64_t dead; /* calls that begin from then on cannot read it; UINT64_MAX: they can */
    bool is_done;  /* ended with success */
};

struct history {
    pthread_mutex_t lock; /* guards all; shared between processes */
    unsigned count;
    uint64_t forgotten; /* the latest dead time of all replaced records */
    struct history_record records[HISTORY_RECORDS];
};

/* Initialize a history. The sector holds its known value. */
void history_init(struct history *history);

/* Start again after a check of the sector at rest. */
void history_restart(struct history *history);

/*
 * Record the begin of a write.
 *
 * Returns false if all records are in use. Then the caller must not write.
 */
bool history_begin(struct history *history, uint64_t value, uint64_t begin);

/*
 * Record the end of the write with this value and begin.
 *
 *   is_done  it has succeeded; otherwise the sector may hold the old or the new value
 */
void history_end(struct history *history, uint64_t value, uint64_t begin, uint64_t end,
                 bool is_done);

enum history_verdict {
    HISTORY_LEGAL,
    HISTORY_ILLEGAL,
    HISTORY_UNKNOWN, /* possibly legal, but the records do not go back far enough */
};

/*
 * Judge a value that a call has read between begin and end. After a legal read, later calls must
 * not find anything older. This holds only for writes that have succeeded: the kernel shows data of
 * a write that then fails, and takes it back.
 */
enum history_verdict history_read(struct history *history, uint64_t value, uint64_t begin,
                                  uint64_t end);

/*
 * Judge one byte of a word that a call has read between begin and end. A reader beside a writer may
 * see a torn word, because a processor may copy fewer than eight bytes at a time.
 *
 *   place    index of the word in the sector
 *   shift    of the byte in the word, in bits
 *   known  the same byte of the content at the last check at rest
 *
 * Returns true also if the records do not go back far enough.
 */
bool history_may_hold_byte(struct history *history, unsigned place, unsigned shift, uint8_t byte,
                           uint8_t known, uint64_t begin, uint64_t end);

/* Returns true if a write was running at that time or later. */
bool history_was_written(struct history *history, uint64_t since);
