#include "kernel/parking.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "process/caller.h"
#include "tree/handle.h"

/*
 * A parked request belongs to whoever takes its watch off the task: to the task's end by being
 * called, or to our thread by vhd_task_unwatch(). Only the owner answers and frees it.
 */
struct parked {
    struct fs_parking *parking; /* constant, like what follows */
    const struct fs_parked_ops *ops;
    struct fs_handle *handle;
    fuse_req_t req;
    pid_t tid; /* the thread that waits in the kernel; 0 where it cannot be known */
    size_t size;
    off_t off;
    struct vhd_task *task;

    struct vhd_task_watch watch;

    /* guarded by the parking's lock */
    bool is_interrupted;
    struct timespec interrupted_at; /* monotonic */
    TAILQ_ENTRY(parked) link;
};

TAILQ_HEAD(parked_list, parked);

struct fs_parking {
    pthread_t thread;     /* constant */
    pthread_mutex_t lock; /* guards what follows; a leaf but for a task's */
    pthread_cond_t changed;
    struct parked_list all;
    bool is_stopping;
};

/* How often a caller who was interrupted by a harmless signal is looked at again. */
#define LOOK_AGAIN_MS 100

/* How long one whose signals cannot be read is given, before it counts as stopped. */
#define GRACE_SECONDS 1

/* Take it out of the list and free it, after it has been answered. */
static void parked_free(struct parked *parked)
{
    {
        HOLD_LOCK(&parked->parking->lock);
        TAILQ_REMOVE(&parked->parking->all, parked, link);
    }
    vhd_task_unref(parked->task);
    fs_handle_unref(parked->handle);
    free(parked);
}

/*
 * Answer it; the caller owns it. The interrupt function goes first: once that call has returned,
 * libfuse is not in it and never will be.
 */
static void answer(struct parked *parked, const struct vhd_task_status *status)
{
    fuse_req_interrupt_func(parked->req, NULL, NULL);
    parked->ops->answer(parked->handle, parked->req, parked->size, parked->off, status);
    parked_free(parked);
}

static void answer_ended(struct parked *parked)
{
    struct vhd_task_status status;
    vhd_task_status(parked->task, &status);
    answer(parked, &status);
}

static void task_ended(struct vhd_task_watch *watch)
{
    answer_ended((struct parked *)((char *)watch - offsetof(struct parked, watch)));
}

/* Called by libfuse under a lock of the request, so it marks and wakes, and no more. */
static void interrupted(fuse_req_t req, void *arg)
{
    struct parked *parked = arg;
    (void)req;

    HOLD_LOCK(&parked->parking->lock);
    if (!parked->is_interrupted) {
        parked->is_interrupted = true;
        parked->interrupted_at = clock_monotonic();
        pthread_cond_signal(&parked->parking->changed);
    }
}

/* Has the caller of an interrupted request given it up? */
static bool is_given_up(const struct parked *parked)
{
    if (!parked->ops->is_work)
        return true;
    switch (fs_caller_look(parked->tid)) {
    case FS_CALLER_STOPPED:
        return true;
    case FS_CALLER_WAITS:
        return false;
    default:
        return clock_monotonic().tv_sec - parked->interrupted_at.tv_sec > GRACE_SECONDS;
    }
}

/* Give up a request that we own: stop its task if it is work, and answer. */
static void give_up(struct parked *parked)
{
    struct vhd_task_status status;

    if (!parked->ops->is_work) {
        fuse_req_interrupt_func(parked->req, NULL, NULL);
        fuse_reply_err(parked->req, EINTR);
        parked_free(parked);
        return;
    }
    int err = vhd_task_cancel(parked->task);
    if (err == 0) {
        /* It will end as cancelled, whenever the host lets it; the caller need not wait. */
        vhd_task_status(parked->task, &status);
        vhd_verdict_set(&status.verdict, VHD_CANCELLED, NULL);
        answer(parked, &status);
        return;
    }
    /* It is past the point where it can be stopped: its end, which is near, will answer. */
    {
        HOLD_LOCK(&parked->parking->lock);
        parked->is_interrupted = false;
    }
    if (vhd_task_watch(parked->task, &parked->watch) < 0)
        answer_ended(parked);
}

/*
 * Take one request that its caller has given up off its task; under the lock.
 *
 *   ret_waiting  set when others have been interrupted and are to be looked at again
 */
static struct parked *take_given_up(struct fs_parking *parking, bool *ret_waiting)
{
    struct parked *parked;

    TAILQ_FOREACH(parked, &parking->all, link) {
        if (!parked->is_interrupted)
            continue;
        if (is_given_up(parked) && vhd_task_unwatch(parked->task, &parked->watch) == 0)
            return parked;
        *ret_waiting = true;
    }
    return NULL;
}

static void *parking_run(void *arg)
{
    struct fs_parking *parking = arg;

    HOLD_LOCK(&parking->lock);
    while (!parking->is_stopping) {
        bool is_waiting = false;
        struct parked *parked = take_given_up(parking, &is_waiting);
        if (parked) {
            pthread_mutex_unlock(&parking->lock);
            give_up(parked);
            pthread_mutex_lock(&parking->lock);
        } else if (is_waiting) {
            struct timespec until = clock_after(clock_monotonic(), LOOK_AGAIN_MS);
            pthread_cond_timedwait(&parking->changed, &parking->lock, &until);
        } else {
            pthread_cond_wait(&parking->changed, &parking->lock);
        }
    }
    return NULL;
}

int fs_parking_new(struct fs_parking **ret)
{
    struct fs_parking *parking = calloc(1, sizeof *parking);
    if (!parking)
        return -ENOMEM;
    pthread_mutex_init(&parking->lock, NULL);
    clock_cond_init(&parking->changed);
    TAILQ_INIT(&parking->all);
    int err = pthread_create(&parking->thread, NULL, parking_run, parking);
    if (err != 0) {
        pthread_cond_destroy(&parking->changed);
        pthread_mutex_destroy(&parking->lock);
        free(parking);
        return -err;
    }
    *ret = parking;
    return 0;
}

void fs_parking_free(struct fs_parking *parking)
{
    if (!parking)
        return;
    pthread_mutex_lock(&parking->lock);
    parking->is_stopping = true;
    pthread_cond_signal(&parking->changed);
    pthread_mutex_unlock(&parking->lock);
    pthread_join(parking->thread, NULL);
    pthread_cond_destroy(&parking->changed);
    pthread_mutex_destroy(&parking->lock);
    free(parking);
}

/* Memory is short: nobody will wait for the task, so work is stopped. */
static void refuse(const struct fs_parked_ops *ops, struct fs_handle *handle, fuse_req_t req,
                   size_t size, off_t off, struct vhd_task *task)
{
    struct vhd_task_status status;

    if (ops->is_work)
        vhd_task_cancel(task);
    vhd_task_status(task, &status);
    vhd_verdict_set(&status.verdict, VHD_OUT_OF_MEMORY, NULL);
    ops->answer(handle, req, size, off, &status);
}

void fs_park(struct fs_parking *parking, const struct fs_parked_ops *ops, struct fs_handle *handle,
             fuse_req_t req, size_t size, off_t off, struct vhd_task *task)
{
    struct parked *parked = calloc(1, sizeof *parked);
    if (!parked) {
        refuse(ops, handle, req, size, off, task);
        return;
    }
    *parked = (struct parked){
        .parking = parking,
        .ops = ops,
        .handle = fs_handle_ref(handle),
        .req = req,
        .tid = fuse_req_ctx(req)->pid,
        .size = size,
        .off = off,
        .task = vhd_task_ref(task),
        .watch.ended = task_ended,
    };
    {
        HOLD_LOCK(&parking->lock);
        TAILQ_INSERT_TAIL(&parking->all, parked, link);
    }
    /*
     * From here on it may be marked as interrupted, but nobody owns it before the watch is on the
     * task: our thread's vhd_task_unwatch() fails until then, and it looks again.
     */
    fuse_req_interrupt_func(req, interrupted, parked);
    if (vhd_task_watch(parked->task, &parked->watch) < 0)
        answer_ended(parked);
}
