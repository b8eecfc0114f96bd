/* SPDX-License-Identifier: MIT */
#include "kernel/deferred.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "process/caller.h"
#include "tree/handle.h"

/*
 * A request whose reply is deferred. The thread that takes its watch off the task owns it: the
 * worker that ends or accepts the task and calls the watch, or our thread by vhd_task_unwatch().
 * Only the owner replies and frees it.
 */
struct deferred_reply {
    struct fs_deferred *deferred; /* constant, as are those below */
    const struct fs_deferred_ops *ops;
    struct fs_handle *handle;
    fuse_req_t req;
    pid_t tid; /* the thread that waits in the kernel; 0 where it cannot be known */
    size_t size;
    off_t off;
    struct vhd_task *task;
    bool wants_change;    /* any change of the task is enough */
    struct timespec seen; /* the change that the caller knows */
    struct timespec next; /* monotonic: not before that */

    struct vhd_task_watch watch;

    /* guarded by the lock of fs_deferred */
    bool is_interrupted;
    struct timespec interrupted_at; /* monotonic */
    TAILQ_ENTRY(deferred_reply) link;
};

TAILQ_HEAD(reply_list, deferred_reply);

struct fs_deferred {
    pthread_t thread;     /* constant */
    pthread_mutex_t lock; /* guards the members below; taken before a task's alone */
    pthread_cond_t changed;
    struct reply_list all;
    bool is_stopping;
};

/* How often a caller is checked after a harmless signal, and a task for a change. */
#define CHECK_AGAIN_MS 100

/* The least time between two replies that tell a change of a task. */
#define CHANGE_MS 250

/* A caller whose signals cannot be read counts as stopped after more whole seconds than this. */
#define UNREADABLE_SECONDS 1

/* Take it off the list and free it, after its reply. */
static void reply_free(struct deferred_reply *reply)
{
    {
        HOLD_LOCK(&reply->deferred->lock);
        TAILQ_REMOVE(&reply->deferred->all, reply, link);
    }
    vhd_task_unref(reply->task);
    fs_handle_unref(reply->handle);
    free(reply);
}

/*
 * Reply; the caller owns it. The interrupt function is unset first: after that call libfuse is not
 * in the function, and never calls it again.
 */
static void answer(struct deferred_reply *reply, const struct vhd_task_status *status)
{
    fuse_req_interrupt_func(reply->req, NULL, NULL);
    reply->ops->answer(reply->handle, reply->req, reply->size, reply->off, status);
    reply_free(reply);
}

static void answer_now(struct deferred_reply *reply)
{
    struct vhd_task_status status;
    vhd_task_status(reply->task, &status);
    answer(reply, &status);
}

static void task_reached(struct vhd_task_watch *watch)
{
    answer_now((struct deferred_reply *)((char *)watch - offsetof(struct deferred_reply, watch)));
}

/* libfuse calls this under a lock of the request, so it only marks it and wakes our thread. */
static void interrupted(fuse_req_t req, void *arg)
{
    struct deferred_reply *reply = arg;
    (void)req;

    HOLD_LOCK(&reply->deferred->lock);
    if (!reply->is_interrupted) {
        reply->is_interrupted = true;
        reply->interrupted_at = clock_monotonic();
        pthread_cond_signal(&reply->deferred->changed);
    }
}

/* Has the caller of an interrupted request given it up? */
static bool is_given_up(const struct deferred_reply *reply)
{
    if (!reply->ops->is_work)
        return true;
    switch (fs_caller_check(reply->tid)) {
    case FS_CALLER_STOPPED:
        return true;
    case FS_CALLER_WAITS:
        return false;
    default:
        return clock_monotonic().tv_sec - reply->interrupted_at.tv_sec > UNREADABLE_SECONDS;
    }
}

/* Give up a request that we own: cancel its task if it is work, and reply. */
static void give_up(struct deferred_reply *reply)
{
    struct vhd_task_status status;

    if (!reply->ops->is_work) {
        fuse_req_interrupt_func(reply->req, NULL, NULL);
        fuse_reply_err(reply->req, EINTR);
        reply_free(reply);
        return;
    }
    int err = vhd_task_cancel(reply->task);
    if (err == 0) {
        /* The task ends as cancelled once the host lets it; the caller need not wait for that. */
        vhd_task_status(reply->task, &status);
        vhd_verdict_set(&status.verdict, VHD_CANCELLED, NULL);
        answer(reply, &status);
        return;
    }
    /* The task is past the point where it can be cancelled. It ends soon, and its end replies. */
    {
        HOLD_LOCK(&reply->deferred->lock);
        reply->is_interrupted = false;
    }
    if (vhd_task_watch(reply->task, &reply->watch) < 0)
        answer_now(reply);
}

/* Is there a change to tell? */
static bool has_news(const struct deferred_reply *reply)
{
    struct vhd_task_status status;

    if (!reply->wants_change || !clock_has_passed(reply->next))
        return false;
    vhd_task_status(reply->task, &status);
    return status.changed.tv_sec != reply->seen.tv_sec ||
           status.changed.tv_nsec != reply->seen.tv_nsec;
}

/*
 * Find a request that is due before its task ends, and take it off its task. Under the lock.
 *
 *   ret_waiting  set when others must be checked again
 */
static struct deferred_reply *remove_due(struct fs_deferred *deferred, bool *ret_waiting)
{
    struct deferred_reply *reply;

    TAILQ_FOREACH(reply, &deferred->all, link) {
        if (!reply->is_interrupted && !reply->wants_change)
            continue;
        const bool is_due = reply->is_interrupted ? is_given_up(reply) : has_news(reply);
        if (is_due && vhd_task_unwatch(reply->task, &reply->watch) == 0)
            return reply;
        *ret_waiting = true;
    }
    return NULL;
}

static void *deferred_run(void *arg)
{
    struct fs_deferred *deferred = arg;

    HOLD_LOCK(&deferred->lock);
    while (!deferred->is_stopping) {
        bool is_waiting = false;
        struct deferred_reply *reply = remove_due(deferred, &is_waiting);
        if (reply) {
            const bool is_given_up = reply->is_interrupted;
            pthread_mutex_unlock(&deferred->lock);
            if (is_given_up)
                give_up(reply);
            else
                answer_now(reply);
            pthread_mutex_lock(&deferred->lock);
        } else if (is_waiting) {
            struct timespec until = clock_after(clock_monotonic(), CHECK_AGAIN_MS);
            pthread_cond_timedwait(&deferred->changed, &deferred->lock, &until);
        } else {
            pthread_cond_wait(&deferred->changed, &deferred->lock);
        }
    }
    return NULL;
}

int fs_deferred_new(struct fs_deferred **ret)
{
    struct fs_deferred *deferred = calloc(1, sizeof *deferred);
    if (!deferred)
        return -ENOMEM;
    pthread_mutex_init(&deferred->lock, NULL);
    clock_cond_init(&deferred->changed);
    TAILQ_INIT(&deferred->all);
    int err = pthread_create(&deferred->thread, NULL, deferred_run, deferred);
    if (err != 0) {
        pthread_cond_destroy(&deferred->changed);
        pthread_mutex_destroy(&deferred->lock);
        free(deferred);
        return -err;
    }
    *ret = deferred;
    return 0;
}

void fs_deferred_free(struct fs_deferred *deferred)
{
    if (!deferred)
        return;
    pthread_mutex_lock(&deferred->lock);
    deferred->is_stopping = true;
    pthread_cond_signal(&deferred->changed);
    pthread_mutex_unlock(&deferred->lock);
    pthread_join(deferred->thread, NULL);
    pthread_cond_destroy(&deferred->changed);
    pthread_mutex_destroy(&deferred->lock);
    free(deferred);
}

/* Memory is short: reply at once. No caller waits for the task then, so work is cancelled. */
static void refuse(const struct deferred_reply *reply)
{
    struct vhd_task_status status;

    if (reply->ops->is_work)
        vhd_task_cancel(reply->task);
    vhd_task_status(reply->task, &status);
    vhd_verdict_set(&status.verdict, VHD_OUT_OF_MEMORY, NULL);
    reply->ops->answer(reply->handle, reply->req, reply->size, reply->off, &status);
}

static void defer(struct fs_deferred *deferred, const struct deferred_reply *prepared)
{
    struct deferred_reply *reply = malloc(sizeof *reply);
    if (!reply) {
        refuse(prepared);
        return;
    }
    *reply = *prepared;
    reply->deferred = deferred;
    reply->tid = fuse_req_ctx(reply->req)->pid;
    reply->watch =
        (struct vhd_task_watch){.wants_acceptance = reply->ops->is_work, .reached = task_reached};
    fs_handle_ref(reply->handle);
    vhd_task_ref(reply->task);
    {
        HOLD_LOCK(&deferred->lock);
        TAILQ_INSERT_TAIL(&deferred->all, reply, link);
        if (reply->wants_change)
            pthread_cond_signal(&deferred->changed);
    }
    /*
     * libfuse may mark it as interrupted from here on, but no thread owns it before the watch is on
     * the task. Until then vhd_task_unwatch() fails in our thread, which checks it again.
     */
    fuse_req_interrupt_func(reply->req, interrupted, reply);
    if (vhd_task_watch(reply->task, &reply->watch) < 0)
        answer_now(reply);
}

void fs_defer(struct fs_deferred *deferred, const struct fs_deferred_ops *ops,
              struct fs_handle *handle, fuse_req_t req, size_t size, off_t off,
              struct vhd_task *task)
{
    defer(deferred,
          &(struct deferred_reply){
              .ops = ops, .handle = handle, .req = req, .size = size, .off = off, .task = task});
}

void fs_defer_change(struct fs_deferred *deferred, const struct fs_deferred_ops *ops,
                     struct fs_handle *handle, fuse_req_t req, size_t size, off_t off,
                     struct vhd_task *task, struct timespec seen)
{
    const struct deferred_reply reply = {
        .ops = ops,
        .handle = handle,
        .req = req,
        .size = size,
        .off = off,
        .task = task,
        .wants_change = true,
        .seen = seen,
        .next = clock_after(clock_monotonic(), CHANGE_MS),
    };
    struct vhd_task_status status;

    if (seen.tv_sec != 0) {
        defer(deferred, &reply);
        return;
    }
    vhd_task_status(task, &status);
    ops->answer(handle, req, size, off, &status);
}
