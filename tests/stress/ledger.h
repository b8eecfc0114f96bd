/* SPDX-License-Identifier: MIT */
/*
 * The ledger of a disk knows its expected content, byte by byte. The disk is divided into lots.
 * Most lots belong to one worker: nothing else writes there, so the worker knows every byte. All
 * workers share the other lots. They write whole sectors there, and each sector has a history.
 *
 * A ledger lies in memory that child processes share.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "history.h"

/* The owner of a shared lot. */
#define LEDGER_SHARED UINT32_MAX

struct lot {
    uint64_t off, len;
    uint32_t owner; /* a worker's number */
};

/* How to divide a disk into lots. */
struct ledger_plan {
    unsigned workers;
    unsigned align;          /* lots begin at multiples of this number of bytes */
    unsigned shared_percent; /* share of shared lots, until shared_max is reached */
    uint64_t lot_max;        /* bytes of the longest lot */
    uint64_t shared_max;     /* bytes of all shared lots */
};

struct ledger {
    const char *name; /* of the disk, for messages */
    uint64_t size;
    uint8_t *bytes; /* expected content; of shared sectors, that of the last check at rest */
    struct lot *lots;
    unsigned lot_count;
    struct history *histories; /* of shared sectors; see ledger_history() */
    uint32_t *history_of;      /* index in histories, by sector */
    uint64_t flushed;          /* atomic: begin of the latest flush that succeeded */
    struct ledger_clock *clock;
};

/* All ledgers of a run share it. */
struct ledger_clock {
    uint64_t now;     /* atomic */
    uint64_t mixed;   /* atomic: sectors that a read found half written */
    uint64_t unknown; /* atomic: values too old to be judged */
};

/* Advance the clock. Each call returns a later time. */
uint64_t ledger_tick(struct ledger_clock *clock);

/* Record that a flush with this begin has succeeded. */
void ledger_note_flush(struct ledger *ledger, uint64_t begin);

/* Zeroed memory that child processes share. Ends the test if none is left. */
void *ledger_memory(uint64_t len);

/* Make the ledger of a disk of zeros. It has no lots yet. */
struct ledger *ledger_new(const char *name, uint64_t size, struct ledger_clock *clock);

/* Divide the disk into new random lots. No worker may be running. */
void ledger_cut(struct ledger *ledger, const struct ledger_plan *plan, uint64_t *seed);

/* A random lot of that owner; NULL if there is none. */
const struct lot *ledger_pick(const struct ledger *ledger, uint32_t owner, uint64_t *seed);

/* The history of a shared sector. */
struct history *ledger_history(const struct ledger *ledger, uint64_t sector);

/*
 * Judge the content that a read of a shared sector returned.
 *
 *   buf         its 512 bytes
 *   begin, end  of the read
 *
 * Returns NULL if it is legal, otherwise a description of the fault.
 */
const char *ledger_judge(const struct ledger *ledger, uint64_t sector, const uint8_t *buf,
                         uint64_t begin, uint64_t end);

/*
 * Read and judge the whole disk while no worker runs. Afterwards the ledger expects exactly this
 * content.
 *
 *   since  writes that were overwritten before this time must be gone; 0 means now
 *   read   reads a piece; returns 0 or a negative errno
 *
 * Ends the test on a fault.
 */
void ledger_conclude(struct ledger *ledger, uint64_t since,
                     int (*read)(void *arg, void *buf, uint64_t len, uint64_t off), void *arg);
