/*
 * Chance: lives of random operations, and crashes at random between them.
 */
#pragma once

#include "parse.h"
#include "play.h"

/* Open the disk and do a few things to it; more follows from *seed. */
void chance_live(struct play *play, uint64_t *seed);

/*
 * Crash somewhere in a log, by kill -9 or loss of power, and make it the log that the next life
 * goes on with.
 *
 * Returns the position from which on that is to be judged.
 */
uint32_t chance_crash(struct log *log, const struct plan *plan, const struct made *made,
                      enum host_class host, uint64_t *seed);
