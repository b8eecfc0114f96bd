/* SPDX-License-Identifier: MIT */
#include "disk/flusher.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* Milliseconds from the first write to the flush. */
#define PATIENCE_MS 5000

struct vhd_flusher {
    int (*flush)(void *arg); /* constant */
    void *arg;

    _Atomic bool is_dirty; /* touched since the last flush began */

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t woken;
    pthread_t thread;
    bool has_thread, is_hurried, is_over;
};

struct vhd_flusher *vhd_flusher_new(int (*flush)(void *arg), void *arg)
{
    struct vhd_flusher *flusher = calloc(1, sizeof *flusher);
    if (!flusher)
        return NULL;
    flusher->flush = flush;
    flusher->arg = arg;
    pthread_mutex_init(&flusher->lock, NULL);
    clock_cond_init(&flusher->woken);
    return flusher;
}

static bool is_dirty(const struct vhd_flusher *flusher)
{
    return flusher->is_dirty;
}

/* Wait for work or for the end. Call it with the lock held. */
static void wait_for_work(struct vhd_flusher *flusher)
{
    while (!is_dirty(flusher) && !flusher->is_hurried && !flusher->is_over)
        pthread_cond_wait(&flusher->woken, &flusher->lock);
    struct timespec deadline = clock_after(clock_monotonic(), PATIENCE_MS);
    while (!flusher->is_hurried && !flusher->is_over &&
           pthread_cond_timedwait(&flusher->woken, &flusher->lock, &deadline) != ETIMEDOUT)
        ;
}

static void *flusher_run(void *arg)
{
    struct vhd_flusher *flusher = arg;

    pthread_mutex_lock(&flusher->lock);
    for (;;) {
        wait_for_work(flusher);
        if (flusher->is_over)
            break;
        flusher->is_hurried = false;
        pthread_mutex_unlock(&flusher->lock);
        flusher->is_dirty = false;
        /* A failure stays with the disk, and its next flush reports it. */
        (void)flusher->flush(flusher->arg);
        pthread_mutex_lock(&flusher->lock);
    }
    pthread_mutex_unlock(&flusher->lock);
    return NULL;
}

/*
 * Wake the thread, or start it. Call it with the lock held. If the host gives no thread, callers
 * that flush do all the work.
 */
static void wake(struct vhd_flusher *flusher)
{
    if (!flusher->has_thread) {
        pthread_attr_t attributes;
        sigset_t all;
        sigfillset(&all);
        pthread_attr_init(&attributes);
        pthread_attr_setsigmask_np(&attributes, &all);
        flusher->has_thread =
            pthread_create(&flusher->thread, &attributes, flusher_run, flusher) == 0;
        pthread_attr_destroy(&attributes);
    }
    if (!flusher->has_thread) {
        flusher->is_hurried = false; /* the next call tries again */
        flusher->is_dirty = false;
    }
    pthread_cond_signal(&flusher->woken);
}

void vhd_flusher_touch(struct vhd_flusher *flusher)
{
    if (is_dirty(flusher) || atomic_exchange(&flusher->is_dirty, true))
        return;
    HOLD_LOCK(&flusher->lock);
    wake(flusher);
}

void vhd_flusher_hurry(struct vhd_flusher *flusher)
{
    HOLD_LOCK(&flusher->lock);
    if (flusher->is_hurried)
        return;
    flusher->is_hurried = true;
    wake(flusher);
}

void vhd_flusher_free(struct vhd_flusher *flusher)
{
    if (!flusher)
        return;
    {
        HOLD_LOCK(&flusher->lock);
        flusher->is_over = true;
        pthread_cond_signal(&flusher->woken);
    }
    if (flusher->has_thread)
        pthread_join(flusher->thread, NULL);
    pthread_cond_destroy(&flusher->woken);
    pthread_mutex_destroy(&flusher->lock);
    free(flusher);
}
