/*
 * One state of many: what a loss of power happens to leave behind.
 */
#pragma once

#include "medium.h"

/* Draw a state that loss of power can leave at a position of a log. To be released. */
struct content pick_state(const struct log *log, uint32_t position, enum host_class host,
                          uint64_t *seed);
