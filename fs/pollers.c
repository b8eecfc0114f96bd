#include "pollers.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "handle.h"

/* A file is told of no more than five changes a second. */
#define APART_MS 200

struct poller {
    struct fs_handle *handle;
    struct fuse_pollhandle *ph; /* NULL while the kernel waits for nothing */
    struct timespec told_at;    /* monotonic; when the kernel was last told */
    LIST_ENTRY(poller) link;
};

LIST_HEAD(poller_list, poller);

struct fs_pollers {
    pthread_t thread;     /* constant */
    pthread_mutex_t lock; /* guards what follows; outside a handle's lock */
    struct poller_list all;

    unsigned waiting; /* atomic: pollers with a handle of the kernel's */
    sem_t changed;    /* posted when has_changed or is_stopping is set */
    bool has_changed; /* atomic: since the thread last looked */
    bool is_stopping; /* atomic */
};

static int64_t milliseconds_since(struct timespec then)
{
    struct timespec now = clock_monotonic();
    return (int64_t)(now.tv_sec - then.tv_sec) * 1000 + (now.tv_nsec - then.tv_nsec) / 1000000;
}

/* Set, or with NULL give up, what the kernel is told through; under the lock. */
static void set_ph(struct fs_pollers *pollers, struct poller *poller, struct fuse_pollhandle *ph)
{
    if (poller->ph) {
        fuse_pollhandle_destroy(poller->ph);
        __atomic_fetch_sub(&pollers->waiting, 1, __ATOMIC_SEQ_CST);
    }
    if (ph)
        __atomic_fetch_add(&pollers->waiting, 1, __ATOMIC_SEQ_CST);
    poller->ph = ph;
}

static bool has_ended(const struct fs_handle *handle)
{
    return !fs_name_is_at_work(handle->fs->names, handle->node.name);
}

/*
 * Tell the kernel of the files that have changed; under the lock.
 *
 * Returns the milliseconds until those have to be told that were told too shortly before, or -1.
 */
static int64_t tell_changed(struct fs_pollers *pollers)
{
    struct poller *poller;
    int64_t wait_ms = -1;

    LIST_FOREACH(poller, &pollers->all, link) {
        if (!poller->ph || !fs_handle_has_changed(poller->handle))
            continue;
        int64_t left_ms = APART_MS - milliseconds_since(poller->told_at);
        if (left_ms > 0 && !has_ended(poller->handle)) {
            wait_ms = wait_ms < 0 || left_ms < wait_ms ? left_ms : wait_ms;
            continue;
        }
        fuse_lowlevel_notify_poll(poller->ph);
        set_ph(pollers, poller, NULL);
        poller->told_at = clock_monotonic();
    }
    return wait_ms;
}

/* Wait until something has changed, or wait_ms have passed; -1 waits for ever. */
static void wait_for_change(struct fs_pollers *pollers, int64_t wait_ms)
{
    if (wait_ms < 0) {
        sem_wait(&pollers->changed);
        return;
    }
    struct timespec until = clock_after(clock_monotonic(), wait_ms);
    sem_clockwait(&pollers->changed, CLOCK_MONOTONIC, &until);
}

static void *pollers_run(void *arg)
{
    struct fs_pollers *pollers = arg;
    int64_t wait_ms = -1;

    for (;;) {
        wait_for_change(pollers, wait_ms);
        if (__atomic_load_n(&pollers->is_stopping, __ATOMIC_ACQUIRE))
            return NULL;
        /* What changes from here on posts anew. */
        __atomic_store_n(&pollers->has_changed, false, __ATOMIC_SEQ_CST);
        HOLD_LOCK(&pollers->lock);
        wait_ms = tell_changed(pollers);
    }
}

int fs_pollers_new(struct fs_pollers **ret)
{
    struct fs_pollers *pollers = calloc(1, sizeof *pollers);
    if (!pollers)
        return -ENOMEM;
    pthread_mutex_init(&pollers->lock, NULL);
    sem_init(&pollers->changed, 0, 0);
    LIST_INIT(&pollers->all);
    int err = pthread_create(&pollers->thread, NULL, pollers_run, pollers);
    if (err != 0) {
        sem_destroy(&pollers->changed);
        pthread_mutex_destroy(&pollers->lock);
        free(pollers);
        return -err;
    }
    *ret = pollers;
    return 0;
}

void fs_pollers_free(struct fs_pollers *pollers)
{
    if (!pollers)
        return;
    __atomic_store_n(&pollers->is_stopping, true, __ATOMIC_RELEASE);
    sem_post(&pollers->changed);
    pthread_join(pollers->thread, NULL);
    while (!LIST_EMPTY(&pollers->all)) {
        struct poller *poller = LIST_FIRST(&pollers->all);
        LIST_REMOVE(poller, link);
        set_ph(pollers, poller, NULL);
        free(poller);
    }
    sem_destroy(&pollers->changed);
    pthread_mutex_destroy(&pollers->lock);
    free(pollers);
}

void fs_pollers_task_changed(void *arg)
{
    struct fs_pollers *pollers = arg;

    /*
     * Whoever begins to wait after this look compares the text himself, and sees the change. To
     * add nothing is to look behind the change for certain: a mere load could be done before it.
     */
    if (__atomic_fetch_add(&pollers->waiting, 0, __ATOMIC_SEQ_CST) == 0)
        return;
    /* Not under the lock: the thread holds it while it looks at every poller. */
    if (!__atomic_exchange_n(&pollers->has_changed, true, __ATOMIC_SEQ_CST))
        sem_post(&pollers->changed);
}

/* A file is closed: nobody polls it any more. */
static void handle_closed(struct fs_handle *handle)
{
    struct fs_pollers *pollers = handle->fs->pollers;
    struct poller *poller;

    HOLD_LOCK(&pollers->lock);
    LIST_FOREACH(poller, &pollers->all, link) {
        if (poller->handle == handle) {
            LIST_REMOVE(poller, link);
            set_ph(pollers, poller, NULL);
            free(poller);
            return;
        }
    }
}

/* The poller of a handle, made if there is none; under the lock. */
static struct poller *poller_of(struct fs_pollers *pollers, struct fs_handle *handle)
{
    struct poller *poller;

    LIST_FOREACH(poller, &pollers->all, link) {
        if (poller->handle == handle)
            return poller;
    }
    poller = calloc(1, sizeof *poller);
    if (poller) {
        poller->handle = handle;
        handle->closed = handle_closed;
        LIST_INSERT_HEAD(&pollers->all, poller, link);
    }
    return poller;
}

void fs_pollers_poll(struct fs_pollers *pollers, struct fs_handle *handle, fuse_req_t req,
                     struct fuse_pollhandle *ph)
{
    unsigned events = POLLIN | POLLRDNORM;

    if (ph) {
        HOLD_LOCK(&pollers->lock);
        struct poller *poller = poller_of(pollers, handle);
        if (poller)
            set_ph(pollers, poller, ph);
        else
            fuse_pollhandle_destroy(ph);
    }
    if (fs_handle_has_changed(handle))
        events |= POLLPRI | POLLERR;
    fuse_reply_poll(req, events);
}
