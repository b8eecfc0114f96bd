/*
 * The log: what was done to an image file, and what was asked of the disk in it, in the order in
 * which it happened. A position is the number of a record; "at position p" means that the records
 * before p have happened and no other. Not locked: recorder.h sees to that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "value.h"

enum record_kind {
    RECORD_WRITE,      /* to the file; holes that are punched are zeros written */
    RECORD_LENGTH,     /* the file cut, or extended without a write */
    RECORD_SYNC_BEGIN, /* a barrier */
    RECORD_SYNC_END,
    RECORD_OP_BEGIN, /* something is asked of the disk */
    RECORD_OP_END,   /* and answered */
    RECORD_DEATH,    /* kill -9: what has not been answered never will be */
    RECORD_REVEAL,   /* the host has dropped its cache: the file shows what is on the medium */
};

enum op {
    OP_WRITE,
    OP_DISCARD,
    OP_FLUSH,
    OP_OBSERVE, /* the whole disk was read, and this is what it held, once and for all */
    OP_COUNT
};

/* Where no record stands. */
#define NOWHERE UINT32_MAX

struct record {
    enum record_kind kind;
    bool is_direct;       /* of a write: past the host's cache */
    enum op op;           /* of RECORD_OP_... */
    int result;           /* of an end: 0, or a negative errno */
    uint32_t pair;        /* of an end: its begin; of a begin: its end, or NOWHERE */
    uint32_t first;       /* sector of the file, or of the disk */
    struct content after; /* what was written from there on */
    uint32_t length;      /* of the file after it, in sectors */
};

struct log {
    struct content base; /* the file before the first record; all of it is on the medium */
    struct content live; /* the file after the last, as the host shows it */
    struct content disk; /* what the disk held before the first record */
    struct record *records;
    uint32_t count, room;
};

/* Begin a log. Copies are taken of both contents. */
void log_init(struct log *log, const struct content *base, const struct content *disk);

void log_free(struct log *log);

/*
 * A process that is killed at a position of a log, and the next that goes on: the same log up to
 * there, with a death at its end.
 */
void log_fork(const struct log *log, uint32_t position, struct log *ret);

/* Add what was done to the file: offsets and lengths in bytes; the file's length in whole sectors.
 */
void log_add_write(struct log *log, const void *bytes, size_t len, uint64_t off, bool is_direct);
void log_add_zeros(struct log *log, uint64_t len, uint64_t off);
void log_add_length(struct log *log, uint64_t length);

/* Add that the file turns out to hold this. Taken over. */
void log_add_reveal(struct log *log, struct content file);

/* Add a barrier; begin returns the position that end wants. */
uint32_t log_add_sync_begin(struct log *log);
void log_add_sync_end(struct log *log, uint32_t begin, int result);

/*
 * Add what is asked of the disk; begin returns the position that end wants.
 *
 *   first, after  the sectors that it is to leave behind; none for OP_FLUSH. Taken over.
 */
uint32_t log_add_op_begin(struct log *log, enum op op, uint32_t first, struct content after);
void log_add_op_end(struct log *log, uint32_t begin, int result);

/*
 * Can what is found after it be wrong if what was found before it is right? Then it changes what
 * can be on the medium, or narrows what is promised of it.
 */
bool record_matters(const struct record *record);

/* Print a log, one record a line. */
void log_print(const struct log *log);
