/* SPDX-License-Identifier: MIT */
/*
 * Sleep for a time.
 */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <time.h>

/* Sleep for that many milliseconds, signals or not. */
static inline void wait_ms(uint64_t ms)
{
    struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

    while (nanosleep(&time, &time) < 0 && errno == EINTR)
        continue;
}
