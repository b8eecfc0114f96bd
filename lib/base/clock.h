/* SPDX-License-Identifier: MIT */
/*
 * Two clocks: the real one for times that people read, the monotonic one for durations.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* The present time of each clock. */
static inline struct timespec clock_real(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return time;
}

static inline struct timespec clock_monotonic(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time;
}

/* The time ms milliseconds after another; ms is not negative. */
static inline struct timespec clock_after(struct timespec time, int64_t ms)
{
    time.tv_nsec += ms % 1000 * 1000000;
    time.tv_sec += ms / 1000 + time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

/* Is a deadline of the monotonic clock over? */
static inline bool clock_has_passed(struct timespec deadline)
{
    const struct timespec now = clock_monotonic();
    return now.tv_sec > deadline.tv_sec ||
           (now.tv_sec == deadline.tv_sec && now.tv_nsec >= deadline.tv_nsec);
}

/* Make a condition whose timed waits take deadlines of the monotonic clock. */
static inline void clock_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}
