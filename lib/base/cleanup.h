/* SPDX-License-Identifier: MIT */
/*
 * Locals that release themselves when their scope ends; TAKE() hands such a pointer on instead.
 */
#pragma once

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The functions behind the macros below. */
static inline void cleanup_free(void *p)
{
    free(*(void **)p);
}

static inline void cleanup_close(const int *fd)
{
    if (*fd >= 0) {
        int saved = errno;
        close(*fd);
        errno = saved;
    }
}

static inline void cleanup_unlock(pthread_mutex_t **mutex)
{
    pthread_mutex_unlock(*mutex);
}

static inline pthread_mutex_t *cleanup_lock(pthread_mutex_t *mutex)
{
    pthread_mutex_lock(mutex);
    return mutex;
}

/* A malloc'ed pointer, freed at the end of the scope. */
#define AUTO_FREE __attribute__((cleanup(cleanup_free)))

/* A file descriptor, closed at the end of the scope unless negative. The cleanup keeps errno. */
#define AUTO_CLOSE __attribute__((cleanup(cleanup_close)))

/* Hold a mutex until the end of the scope. */
#define HOLD_LOCK(mutex)                                                                           \
    __attribute__((cleanup(cleanup_unlock), unused)) pthread_mutex_t *held_lock =                  \
        cleanup_lock(mutex)

/* Yield the pointer's value and set the variable to NULL, so that its cleanup does nothing. */
#define TAKE(p)                                                                                    \
    __extension__({                                                                                \
        __typeof__(p) taken_ = (p);                                                                \
        (p) = NULL;                                                                                \
        taken_;                                                                                    \
    })
