/* SPDX-License-Identifier: MIT */
#include "kernel/invalidate.h"

#include <errno.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/thread.h"

struct fs_invalidator {
    struct fuse_session *fuse; /* constant */
    pthread_mutex_t lock;      /* a leaf; guards the members below, and all invalidations */
    pthread_cond_t changed;
    unsigned at_work;
};

/*
 * Bytes that the kernel drops at a time. A large cache takes seconds, so each part shows that it
 * makes progress. Smaller parts would make the largest disks slow to open.
 */
#define PART (INT64_C(512) << 20)

/* One invalidation, shared by its caller and its thread. The last of the two frees it. */
struct invalidation {
    struct fs_invalidator *invalidator;
    fuse_ino_t id;
    off_t size;
    unsigned parts;        /* done so far; set by the thread */
    bool is_done, is_left; /* set by the thread; by the caller */
};

struct fs_invalidator *fs_invalidator_new(struct fuse_session *fuse)
{
    struct fs_invalidator *invalidator = calloc(1, sizeof *invalidator);
    if (!invalidator)
        return NULL;
    invalidator->fuse = fuse;
    pthread_mutex_init(&invalidator->lock, NULL);
    clock_cond_init(&invalidator->changed);
    return invalidator;
}

void fs_invalidator_free(struct fs_invalidator *invalidator)
{
    if (!invalidator)
        return;
    pthread_mutex_lock(&invalidator->lock);
    while (invalidator->at_work > 0)
        pthread_cond_wait(&invalidator->changed, &invalidator->lock);
    pthread_mutex_unlock(&invalidator->lock);
    pthread_cond_destroy(&invalidator->changed);
    pthread_mutex_destroy(&invalidator->lock);
    free(invalidator);
}

/*
 * Give this thread a descriptor table with the connection alone. Images have higher numbers, so
 * they never enter the new table: a close of them there would make some hosts write them back. If
 * this fails, only a kill at the wrong moment hangs.
 */
static void leave_descriptors(int kept)
{
    if (close_range((unsigned)kept + 1, ~0U, CLOSE_RANGE_UNSHARE) == 0 && kept > 0)
        close_range(0, (unsigned)kept - 1, 0);
}

/* Invalidate all parts but the last. Returns where that begins. */
static off_t invalidate_parts(struct invalidation *invalidation)
{
    struct fs_invalidator *invalidator = invalidation->invalidator;
    off_t at = 0;
    int err = 0;

    /* If the kernel does not know the node, it has no pages. */
    for (; err == 0 && at + PART < invalidation->size; at += PART) {
        err = fuse_lowlevel_notify_inval_inode(invalidator->fuse, invalidation->id, at, PART);
        HOLD_LOCK(&invalidator->lock);
        invalidation->parts++;
        pthread_cond_broadcast(&invalidator->changed);
    }
    return at;
}

static void *invalidate_run(void *arg)
{
    struct invalidation *invalidation = arg;
    struct fs_invalidator *invalidator = invalidation->invalidator;

    leave_descriptors(fuse_session_fd(invalidator->fuse));
    const off_t last = invalidate_parts(invalidation);
    /* A length of 0 reaches to the end, also of a file that was larger before. */
    fuse_lowlevel_notify_inval_inode(invalidator->fuse, invalidation->id, last, 0);

    HOLD_LOCK(&invalidator->lock);
    invalidation->is_done = true;
    if (invalidation->is_left)
        free(invalidation);
    invalidator->at_work--;
    pthread_cond_broadcast(&invalidator->changed);
    return NULL;
}

/* Wait until it is done, or makes no progress for a time. Under the lock. */
static void await(const struct invalidation *invalidation, int ms)
{
    struct fs_invalidator *invalidator = invalidation->invalidator;
    int err = 0;

    while (!invalidation->is_done && err != ETIMEDOUT) {
        const struct timespec until = clock_after(clock_monotonic(), ms);
        const unsigned parts = invalidation->parts;
        while (!invalidation->is_done && invalidation->parts == parts && err != ETIMEDOUT)
            err = pthread_cond_timedwait(&invalidator->changed, &invalidator->lock, &until);
    }
}

int fs_invalidate(struct fs_invalidator *invalidator, fuse_ino_t id, uint64_t size, int ms)
{
    struct invalidation *invalidation = malloc(sizeof *invalidation);

    if (!invalidation)
        return -ENOMEM;
    *invalidation =
        (struct invalidation){.invalidator = invalidator, .id = id, .size = (off_t)size};
    HOLD_LOCK(&invalidator->lock);
    int err = thread_start_detached(invalidate_run, invalidation);
    if (err < 0) {
        free(invalidation);
        return err;
    }
    invalidator->at_work++;
    await(invalidation, ms);
    if (invalidation->is_done) {
        free(invalidation);
        return 0;
    }
    invalidation->is_left = true;
    return -ETIMEDOUT;
}
