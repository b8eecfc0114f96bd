/* SPDX-License-Identifier: MIT */
/*
 * Detached threads.
 */
#pragma once

#include <pthread.h>

/*
 * Start a detached thread: its memory is freed when run() returns.
 *
 * Returns 0 or the negative errno of pthread_create(3).
 */
static inline int thread_start_detached(void *(*run)(void *arg), void *arg)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int err = -pthread_create(&thread, &attributes, run, arg);
    pthread_attr_destroy(&attributes);
    return err;
}
