/* SPDX-License-Identifier: MIT */
/*
 * The log: all changes of an image file and all requests to its disk, in order. A position is the
 * number of a record. "At position p" means that the records before p have happened and no others.
 * It has no lock; the recorder has one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "value.h"

enum record_kind {
    RECORD_WRITE,      /* to the file; a punched hole is a write of zeros */
    RECORD_LENGTH,     /* the file cut, or extended without a write */
    RECORD_SYNC_BEGIN, /* a barrier */
    RECORD_SYNC_END,
    RECORD_OP_BEGIN, /* a request to the disk */
    RECORD_OP_END,   /* its reply */
    RECORD_DEATH,    /* kill -9: open requests never get a reply */
    RECORD_REVEAL,   /* the host has dropped its cache: the file shows the medium */
};

enum op {
    OP_WRITE,
    OP_DISCARD,
    OP_FLUSH,
    OP_OBSERVE, /* the whole disk was read, and this content counts from now on */
    OP_RELINK,  /* the record of the parent changes; `first` is the number of the new one */
    OP_COUNT
};

/* No such record. */
#define NOWHERE UINT32_MAX

struct record {
    enum record_kind kind;
    bool is_direct;       /* of a write: O_DIRECT, past the host's cache */
    enum op op;           /* of RECORD_OP_... */
    int result;           /* of an end: 0, or a negative errno */
    uint32_t pair;        /* of an end: its begin; of a begin: its end, or NOWHERE */
    uint32_t first;       /* sector of the file, or of the disk */
    struct content after; /* the values written from there on */
    uint32_t length;      /* of the file after this record, in sectors */
};

struct log {
    struct content base; /* the file before the first record, all of it on the medium */
    struct content live; /* the file after the last record, in the host's view */
    struct content disk; /* content of the disk before the first record */
    struct record *records;
    uint32_t count, capacity;
};

/* Begin a log. It copies both contents. */
void log_init(struct log *log, const struct content *base, const struct content *disk);

/* Release the memory of a log, not the struct. */
void log_free(struct log *log);

/* Copy a log up to a position, and end it with a kill. The next process continues it. */
void log_fork(const struct log *log, uint32_t position, struct log *ret);

/* Add a change of the file: offsets and lengths in bytes; the file's length in whole sectors. */
void log_add_write(struct log *log, const void *bytes, size_t len, uint64_t off, bool is_direct);
void log_add_zeros(struct log *log, uint64_t len, uint64_t off);
void log_add_length(struct log *log, uint64_t length);

/* Add a dropped cache: the file now shows this content. The log takes the content over. */
void log_add_reveal(struct log *log, struct content file);

/* Add a barrier; begin returns the position that end needs. */
uint32_t log_add_sync_begin(struct log *log);
void log_add_sync_end(struct log *log, uint32_t begin, int result);

/*
 * Add a request to the disk; begin returns the position that end needs.
 *
 *   first, after  the sectors and values that the request leaves there; none for OP_FLUSH. The log
 *                 takes after over.
 */
uint32_t log_add_op_begin(struct log *log, enum op op, uint32_t first, struct content after);
void log_add_op_end(struct log *log, uint32_t begin, int result);

/*
 * Can a state after this record be wrong although the state before it is right? Such a record
 * changes the possible states of the medium, or narrows the promise.
 */
bool record_matters(const struct record *record);

/* Print a log, one record a line. */
void log_print(const struct log *log);
