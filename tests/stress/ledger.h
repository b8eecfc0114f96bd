/*
 * The ledger of a disk: what it must hold, byte by byte. The disk is cut into lots. Most belong to
 * one worker each, who alone writes there and so knows every byte; some are shared by all, whole
 * sectors at a time, and each of their sectors has its history.
 *
 * It lies in memory that child processes share.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "history.h"

/* The owner of a lot that is everybody's. */
#define LEDGER_SHARED UINT32_MAX

struct lot {
    uint64_t off, len;
    uint32_t owner; /* a worker's number */
};

/* How to cut a disk into lots. */
struct ledger_plan {
    unsigned workers;
    unsigned align;          /* lots begin at multiples of so many bytes */
    unsigned shared_percent; /* of the lots that are everybody's, as far as shared_max goes */
    uint64_t lot_max;        /* bytes of the longest lot */
    uint64_t shared_max;     /* bytes of all shared lots together */
};

struct ledger {
    const char *name; /* of the disk, for what is found wrong */
    uint64_t size;
    uint8_t *bytes; /* what each byte is; of a shared sector, what it was when all were at rest */
    struct lot *lots;
    unsigned lot_count;
    struct history *histories; /* of the shared sectors, by ledger_history() */
    uint32_t *history_of;      /* by sector: its place in histories */
    uint64_t flushed;          /* atomic: when the latest flush that has succeeded began */
    struct ledger_clock *clock;
};

/* What all ledgers of a run have in common. */
struct ledger_clock {
    uint64_t now;     /* atomic */
    uint64_t mixed;   /* atomic: sectors read while they were written, part old, part new */
    uint64_t unknown; /* atomic: values read that went too far back to be judged */
};

/* The time; each call's is later. */
uint64_t ledger_tick(struct ledger_clock *clock);

/* A flush that began then has succeeded. */
void ledger_note_flush(struct ledger *ledger, uint64_t begin);

/* Memory of zeros that child processes share; ends the test where there is none. */
void *ledger_memory(uint64_t len);

/* Make the ledger of a disk of zeros, with no lots yet. */
struct ledger *ledger_new(const char *name, uint64_t size, struct ledger_clock *clock);

/* Cut the disk into other lots, by chance; all is at rest. */
void ledger_cut(struct ledger *ledger, const struct ledger_plan *plan, uint64_t *seed);

/* A lot of that owner, by chance; NULL when there is none. */
const struct lot *ledger_pick(const struct ledger *ledger, uint32_t owner, uint64_t *seed);

/* The history of a shared sector. */
struct history *ledger_history(const struct ledger *ledger, uint64_t sector);

/*
 * Judge what was read of a shared sector.
 *
 *   buf         its 512 bytes
 *   begin, end  when the read began and had ended
 *
 * Returns NULL when it is legal, or what is wrong.
 */
const char *ledger_judge(const struct ledger *ledger, uint64_t sector, const uint8_t *buf,
                         uint64_t begin, uint64_t end);

/*
 * All are at rest: judge everything that the disk holds, read piece by piece, and from now on
 * expect exactly that.
 *
 *   since  what was overwritten before that time cannot have survived; 0 for the present time
 *   read   reads a piece; returns 0 or a negative errno
 *
 * Ends the test when something is wrong.
 */
void ledger_settle(struct ledger *ledger, uint64_t since,
                   int (*read)(void *arg, void *buf, uint64_t len, uint64_t off), void *arg);
