/* SPDX-License-Identifier: MIT */
/*
 * A worker does random deeds on some disks and checks their results. Each runs on a thread or in a
 * process of its own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ledger.h"
#include "target.h"

struct deed;

enum { WORKER_DISKS = 2, WORKER_LENGTH_MAX = 4 << 20 };

/* A disk and its expected content. */
struct stressed {
    struct ledger *ledger;
    struct target *target;
    bool is_writable; /* atomic: false until it may be written to */
};

/* The state that all workers share. */
struct crew {
    struct stressed disks[WORKER_DISKS];
    unsigned disk_count;
    bool may_be_full; /* a write may fail because the host is full */
    bool is_over;     /* atomic: workers stop */
    int bookkeeping;  /* atomic: number of workers that write to histories now */
    uint64_t done;    /* atomic: number of all deeds */
    uint64_t refused; /* atomic: number of deeds that failed on a full host */
};

/* Wait for that many more deeds, at most for that many milliseconds. */
void crew_await(const struct crew *crew, uint64_t deeds, unsigned most_ms);

/* Print the number of deeds and their results. */
void crew_tell(const struct crew *crew);

struct worker {
    struct crew *crew;
    unsigned number;
    uint64_t seed;

    uint64_t sequence; /* number of its latest stamp */
    uint8_t *buf;      /* WORKER_LENGTH_MAX each */
    uint8_t *other;
};

/* Work until the crew is over. */
void worker_run(struct worker *worker);

/* The same deed by deed: begin, any number of deeds, end. */
void worker_begin(struct worker *worker);
void worker_deed(struct worker *worker);
void worker_end(struct worker *worker);

/*
 * One deed on a lot of the worker (owned.c) or on a shared lot (shared.c). Does nothing if the disk
 * has no such lot.
 */
void owned_deed(struct worker *worker, struct stressed *disk);
void shared_deed(struct worker *worker, struct stressed *disk);

/* Accept the failure of a deed if the host may be full. Otherwise end the test. */
void worker_excuse(struct worker *worker, const struct deed *deed);

/* Flush the disk. */
void worker_flush(struct worker *worker, struct stressed *disk);
