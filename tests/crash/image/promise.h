/* SPDX-License-Identifier: MIT */
/*
 * The promise: the values that each sector of the disk may have after a crash, by the requests and
 * replies so far. A sector has its value at the last successful flush, or one that a write or
 * discard began to put there since. After kill -9 every answered write counts as flushed, except
 * those that a differencing disk may lose.
 *
 * See lib/disk/README.md, "Promises and invariants".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "log.h"

/* The possible values of each sector of a disk. */
struct promise {
    uint32_t sectors;
    uint32_t *starts; /* sector i: from values[starts[i]] to before values[starts[i + 1]] */
    uint32_t *values;
    uint32_t capacity;
};

/* The kind of crash. */
enum crash {
    CRASH_POWER, /* power is lost */
    CRASH_KILL,  /* the process is killed, the host lives */
};

/*
 * Compute the promise at a position of a log.
 *
 *   first_lost  after CRASH_KILL a unit of so many sectors may lose its first writes: those since
 *               the
 *               last flush, if none came before it; 0 if no unit may
 *   promise     all zero, or from an earlier call; released by promise_free()
 */
void promise_at(struct promise *promise, const struct log *log, uint32_t position, enum crash crash,
                uint32_t first_lost);

/*
 * Compute the parents that a disk may record: bit i stands for the parent with number i.
 *
 *   before  the number of the one before the log
 */
uint32_t promise_parents(const struct log *log, uint32_t position, uint32_t before);

/* Release the memory of a promise, and set it to zero. */
void promise_free(struct promise *promise);

/* Does a disk keep the promise? If not, *ret_sector is the first sector that breaks it. */
bool promise_holds(const struct promise *promise, const struct content *disk, uint32_t *ret_sector);

/* Print the possible values of a sector. */
void promise_print(const struct promise *promise, uint32_t sector);
