/*
 * The promise: what each sector of the disk may hold after a crash, by what was asked of the disk
 * and answered. It holds what it held at the last flush that was answered with success, or what
 * somebody began to write or discard since. After kill -9 alone every answered write counts as
 * flushed, but for what a differencing disk may lose.
 *
 * Source: durability, "Promises", and I5.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "log.h"

/* The values that each sector of a disk may have. */
struct promise {
    uint32_t sectors;
    uint32_t *starts; /* sector i: values[starts[i]] up to before values[starts[i + 1]] */
    uint32_t *values;
    uint32_t room;
};

/* Which crash. */
enum crash {
    CRASH_POWER, /* power is lost */
    CRASH_KILL,  /* the process is killed, the host lives */
};

/*
 * Tell what is promised at a position of a log.
 *
 *   first_lost  after CRASH_KILL: units of so many sectors may lose what was written since the last
 *               flush if nothing was written there before that flush; 0 where none may
 *   promise     all zero, or from an earlier call; released by promise_free()
 */
void promise_at(struct promise *promise, const struct log *log, uint32_t position, enum crash crash,
                uint32_t first_lost);

void promise_free(struct promise *promise);

/* Does a disk hold what is promised? If not, *ret_sector is the first sector that does not. */
bool promise_holds(const struct promise *promise, const struct content *disk, uint32_t *ret_sector);

/* Print the values that a sector may have. */
void promise_print(const struct promise *promise, uint32_t sector);
