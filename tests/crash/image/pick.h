/* SPDX-License-Identifier: MIT */
/*
 * One random state of many: the outcome of one loss of power.
 */
#pragma once

#include "medium.h"

/* Draw a state that a power loss can leave at a position of a log. The caller releases it. */
struct content pick_state(const struct log *log, uint32_t position, enum host_class host,
                          uint64_t *seed);
