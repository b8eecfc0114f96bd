/* SPDX-License-Identifier: MIT */
/*
 * Time that runs as many times as fast as a test demands. The linker leads the calls of these here,
 * those of the library too (--wrap, unit_fast of meson.build). A deadline of five seconds then
 * passes in a fraction of one.
 */
#pragma once

#include <pthread.h>
#include <stdint.h>
#include <time.h>

int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __real_nanosleep(const struct timespec *time, struct timespec *ret_left);
int __real_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
                                  const struct timespec *deadline);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_nanosleep(const struct timespec *time, struct timespec *ret_left);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
                                  const struct timespec *deadline);

static int64_t fast_factor = 1;
static int64_t fast_begin_ns; /* of the monotonic clock, which alone runs fast */

static inline int64_t fast_ns(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static inline struct timespec fast_time(int64_t ns)
{
    return (struct timespec){ns / 1000000000, ns % 1000000000};
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    int err = __real_clock_gettime(clock, ret);

    if (clock == CLOCK_MONOTONIC)
        *ret = fast_time(fast_begin_ns + (fast_ns(*ret) - fast_begin_ns) * fast_factor);
    return err;
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *ret_left)
{
    const struct timespec real = fast_time(fast_ns(*time) / fast_factor);

    return __real_nanosleep(&real, ret_left);
}

/* For conditions of the monotonic clock. */
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
                                  const struct timespec *deadline)
{
    const int64_t after_ns = (fast_ns(*deadline) - fast_begin_ns) / fast_factor;
    const struct timespec real = fast_time(fast_begin_ns + after_ns);

    return __real_pthread_cond_timedwait(cond, lock, &real);
}

/* Call these while no other thread runs. */
static inline void fast_begin(void)
{
    struct timespec now;

    __real_clock_gettime(CLOCK_MONOTONIC, &now);
    fast_begin_ns = fast_ns(now);
    fast_factor = 20;
}

static inline void fast_end(void)
{
    fast_factor = 1;
}
