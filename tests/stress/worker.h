/*
 * A worker: it does to some disks, at random, whatever can be done to a disk, and looks whether the
 * disks do likewise. Each runs on a thread or in a process of its own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ledger.h"
#include "target.h"

struct deed;

enum { WORKER_DISKS = 2, WORKER_LENGTH_MAX = 4 << 20 };

/* A disk and what it must hold. */
struct stressed {
    struct ledger *ledger;
    struct target *target;
    bool is_writable; /* atomic: from when on it may be written to */
};

/* What workers have in common. */
struct crew {
    struct stressed disks[WORKER_DISKS];
    unsigned disk_count;
    bool may_be_full; /* the host may have no room: that a write fails so is legal */
    bool is_over;     /* atomic: come to an end */
    int bookkeeping;  /* atomic: how many write into histories now */
    uint64_t done;    /* atomic: deeds of all */
    uint64_t refused; /* atomic: deeds that found the host full */
};

/* Wait until so many more deeds have been done, or so many milliseconds have passed. */
void crew_await(const struct crew *crew, uint64_t deeds, unsigned most_ms);

/* Print what was done. */
void crew_tell(const struct crew *crew);

struct worker {
    struct crew *crew;
    unsigned number;
    uint64_t seed;

    uint64_t sequence; /* of what it has stamped */
    uint8_t *buf;      /* WORKER_LENGTH_MAX each */
    uint8_t *other;
};

/* Work until the crew is over. */
void worker_run(struct worker *worker);

/* Or deed by deed: begin, as many as wanted, end. */
void worker_begin(struct worker *worker);
void worker_deed(struct worker *worker);
void worker_end(struct worker *worker);

/*
 * What owned.c does to lots of a worker's own, and shared.c to those of all. Each does one deed to
 * a disk, or nothing where the disk has no such lot.
 */
void owned_deed(struct worker *worker, struct stressed *disk);
void shared_deed(struct worker *worker, struct stressed *disk);

/* May this deed, which was to change something, fail as it did? Ends the test where it may not. */
void worker_excuse(struct worker *worker, const struct deed *deed);

/* Flush the disk. */
void worker_flush(struct worker *worker, struct stressed *disk);
