/* SPDX-License-Identifier: MIT */
/*
 * Chance: lives of random operations, and random crashes between them.
 */
#pragma once

#include "parse.h"
#include "play.h"

/* Open the disk and do a few random operations; *seed decides. */
void chance_live(struct play *play, uint64_t *seed);

/*
 * Crash at a random position of a log, by kill -9 or loss of power. The log becomes the one that
 * the next life continues.
 *
 * Returns the first position that the judge has not seen.
 */
uint32_t chance_crash(struct log *log, const struct plan *plan, const struct made *made,
                      enum host_class host, uint64_t *seed);
