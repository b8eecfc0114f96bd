/* SPDX-License-Identifier: MIT */
#include "task/task.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "task/report.h"
#include "task/watches.h"

struct vhd_task {
    _Atomic unsigned refs;

    const struct vhd_work *work; /* constant after creation; NULL for a refused request */
    uint64_t id;
    const char *operation;
    char *name, *description;
    const struct vhd_task_listener *listener; /* NULL for none */

    pthread_mutex_t lock; /* guards the fields below */
    pthread_cond_t ended;
    enum vhd_task_state state;
    bool is_cancelled; /* a caller has asked the task to stop */
    bool is_committed; /* too late to cancel; never set together with is_cancelled */
    bool is_accepted;  /* long work, admitted */
    unsigned percent;
    uint64_t done, total; /* bytes */
    void *arg;            /* NULL after a thread has taken it, to run or drop it */
    struct timespec changed, started, finished;
    unsigned tellers; /* changes that the listener does not know yet */
    struct vhd_verdict verdict;
    struct vhd_watches watches;
    struct vhd_report report;
};

const char *vhd_task_state_name(enum vhd_task_state state)
{
    static const char *const names[] = {
        [VHD_TASK_QUEUED] = "queued",       [VHD_TASK_RUNNING] = "running",
        [VHD_TASK_COMPLETED] = "completed", [VHD_TASK_FAILED] = "failed",
        [VHD_TASK_STOPPED] = "cancelled",
    };
    return names[state];
}

static bool is_end(enum vhd_task_state state)
{
    return state >= VHD_TASK_COMPLETED;
}

static struct vhd_task *task_alloc(uint64_t id, const char *operation, const char *name,
                                   const char *description)
{
    AUTO_FREE struct vhd_task *task = calloc(1, sizeof *task);
    AUTO_FREE char *own_name = strdup(name), *own_description = strdup(description);
    if (!task || !own_name || !own_description)
        return NULL;
    task->name = TAKE(own_name);
    task->description = TAKE(own_description);
    task->refs = 1;
    task->id = id;
    task->operation = operation;
    task->changed = clock_real();
    pthread_mutex_init(&task->lock, NULL);
    clock_cond_init(&task->ended);
    SLIST_INIT(&task->watches);
    return TAKE(task);
}

struct vhd_task *vhd_task_new(uint64_t id, const struct vhd_work *work, void *arg, const char *name,
                              const char *description)
{
    assert(arg);
    struct vhd_task *task = task_alloc(id, work->operation, name, description);
    if (!task) {
        work->drop(arg);
        return NULL;
    }
    task->work = work;
    task->arg = arg;
    task->state = VHD_TASK_QUEUED;
    vhd_verdict_set(&task->verdict, VHD_PENDING, NULL);
    return task;
}

struct vhd_task *vhd_task_new_refused(uint64_t id, const char *operation, const char *name,
                                      const char *description, const struct vhd_verdict *verdict)
{
    struct vhd_task *task = task_alloc(id, operation, name, description);
    if (!task)
        return NULL;
    task->state = VHD_TASK_FAILED;
    task->started = task->finished = task->changed;
    task->verdict = *verdict;
    return task;
}

struct vhd_task *vhd_task_ref(struct vhd_task *task)
{
    task->refs++;
    return task;
}

void vhd_task_unref(struct vhd_task *task)
{
    if (!task || --task->refs > 0)
        return;
    if (task->arg)
        task->work->drop(task->arg);
    pthread_cond_destroy(&task->ended);
    pthread_mutex_destroy(&task->lock);
    vhd_report_free(&task->report);
    free(task->description);
    free(task->name);
    free(task);
}

void vhd_task_listen(struct vhd_task *task, const struct vhd_task_listener *listener)
{
    task->listener = listener;
}

/* Note a change. Call under the lock, and call tell() after leaving it. */
static void mark_changed(struct vhd_task *task)
{
    task->changed = clock_real();
    task->tellers++;
}

/*
 * Tell the listener of a change. Call without the lock. The service drops a task only after this,
 * so a listener may be freed together with its service.
 */
static void tell(struct vhd_task *task)
{
    if (task->listener)
        task->listener->changed(task->listener->arg, task);
    HOLD_LOCK(&task->lock);
    if (--task->tellers == 0)
        pthread_cond_broadcast(&task->ended);
}

void vhd_task_status(struct vhd_task *task, struct vhd_task_status *ret)
{
    HOLD_LOCK(&task->lock);
    *ret = (struct vhd_task_status){
        .id = task->id,
        .state = task->state,
        .percent = task->percent,
        .done = task->done,
        .total = task->total,
        .is_complete = is_end(task->state),
        .is_accepted = task->is_accepted,
        .is_cancelable = !is_end(task->state) && !task->is_cancelled && !task->is_committed,
        .name = task->name,
        .operation = task->operation,
        .description = task->description,
        .changed = task->changed,
        .started = task->started,
        .finished = task->finished,
        .verdict = task->verdict,
    };
}

bool vhd_task_has_ended(struct vhd_task *task)
{
    HOLD_LOCK(&task->lock);
    return is_end(task->state);
}

bool vhd_task_is_cancelled(struct vhd_task *task)
{
    HOLD_LOCK(&task->lock);
    return task->is_cancelled;
}

void vhd_task_progress(struct vhd_task *task, unsigned percent)
{
    if (percent > 99)
        percent = 99;
    {
        HOLD_LOCK(&task->lock);
        if (percent <= task->percent)
            return;
        task->percent = percent;
        mark_changed(task);
    }
    tell(task);
}

void vhd_task_advance(struct vhd_task *task, uint64_t done, uint64_t total)
{
    const unsigned percent = (unsigned)(done / (total / 99 + 1));

    {
        HOLD_LOCK(&task->lock);
        task->done = done;
        task->total = total;
        if (percent > task->percent)
            task->percent = percent;
        mark_changed(task);
    }
    tell(task);
}

void vhd_task_report_begin(struct vhd_task *task)
{
    HOLD_LOCK(&task->lock);
    vhd_report_begin(&task->report);
    task->changed = clock_real();
}

void vhd_task_report_add(struct vhd_task *task, const char *format, ...)
{
    char text[VHD_SENTENCE_SIZE];
    struct vhd_verdict line;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    vhd_verdict_set(&line, VHD_OK, "%s", text);
    HOLD_LOCK(&task->lock);
    vhd_report_add(&task->report, line.sentence);
    task->changed = clock_real();
}

bool vhd_task_has_report(struct vhd_task *task)
{
    HOLD_LOCK(&task->lock);
    return task->report.lines;
}

int vhd_task_report(struct vhd_task *task, char **ret_text)
{
    HOLD_LOCK(&task->lock);
    return vhd_report_copy(&task->report, ret_text);
}

static enum vhd_task_state state_of(enum vhd_result result)
{
    switch (result) {
    case VHD_OK:
        return VHD_TASK_COMPLETED;
    case VHD_CANCELLED:
        return VHD_TASK_STOPPED;
    default:
        return VHD_TASK_FAILED;
    }
}

/* Set the outcome, and wake all waiters and watches. */
static void task_end(struct vhd_task *task, const struct vhd_verdict *verdict)
{
    struct vhd_watches watches;

    {
        HOLD_LOCK(&task->lock);
        task->state = state_of(verdict->result);
        task->verdict = *verdict;
        mark_changed(task);
        task->finished = task->changed;
        if (task->state == VHD_TASK_COMPLETED)
            task->percent = 100;
        watches = task->watches; /* ours now: vhd_task_unwatch() finds none */
        SLIST_INIT(&task->watches);
    }
    pthread_cond_broadcast(&task->ended); /* not under the lock: waiters would block on it */
    vhd_watches_call(&watches);
    tell(task);
}

/* End a queued task, after its work was taken from it. */
static void end_queued(struct vhd_task *task, void *arg)
{
    struct vhd_verdict verdict;

    vhd_verdict_set(&verdict, VHD_CANCELLED, NULL);
    task->work->drop(arg);
    task_end(task, &verdict);
}

int vhd_task_cancel(struct vhd_task *task)
{
    bool is_first;
    void *arg;

    {
        HOLD_LOCK(&task->lock);
        if (is_end(task->state))
            return -ESRCH;
        if (task->is_committed)
            return -EBUSY;
        is_first = !task->is_cancelled;
        task->is_cancelled = true;
        arg = task->state == VHD_TASK_QUEUED ? TAKE(task->arg) : NULL;
        if (is_first && !arg)
            mark_changed(task);
        /* If the work is gone, another canceller has taken it and ends the task soon. */
        while (!arg && task->state == VHD_TASK_QUEUED)
            pthread_cond_wait(&task->ended, &task->lock);
    }
    if (arg)
        end_queued(task, arg);
    else if (is_first)
        tell(task);
    return 0;
}

bool vhd_task_commit(struct vhd_task *task)
{
    {
        HOLD_LOCK(&task->lock);
        if (task->is_cancelled)
            return false;
        task->is_committed = true;
        mark_changed(task);
    }
    tell(task);
    return true;
}

/* A call when a task is accepted. */
struct acceptance {
    void (*accepted)(void *arg); /* NULL for none */
    void *arg;
};

/* Queue admitted work again. Returns false, with the work still the caller's, after a cancel. */
static bool accept(struct vhd_task *task, void *arg, const struct acceptance *acceptance)
{
    struct vhd_watches watches;

    {
        HOLD_LOCK(&task->lock);
        if (task->is_cancelled)
            return false;
        task->arg = arg;
        task->state = VHD_TASK_QUEUED;
        task->is_accepted = true;
        task->started = (struct timespec){0};
        mark_changed(task);
        watches = vhd_watches_remove_early(&task->watches);
    }
    /* First, because a worker, or a cancel by a writer that has its answer, changes the state. */
    tell(task);
    if (acceptance->accepted)
        acceptance->accepted(acceptance->arg);
    vhd_watches_call(&watches);
    return true;
}

/* Take the work of a queued task. Returns NULL if a canceller took it before. */
static void *begin_run(struct vhd_task *task)
{
    HOLD_LOCK(&task->lock);
    void *arg = TAKE(task->arg);
    if (arg) {
        task->state = VHD_TASK_RUNNING;
        mark_changed(task);
        task->started = task->changed;
    }
    return arg;
}

/* Wait until the task has ended and the listener knows all changes. */
static void finish_run(struct vhd_task *task)
{
    HOLD_LOCK(&task->lock);
    while (!is_end(task->state) || task->tellers > 0)
        pthread_cond_wait(&task->ended, &task->lock);
}

/* Do the next part of the work. Returns true if the task was accepted, else it has ended. */
static bool run_part(struct vhd_task *task, void *arg, const struct acceptance *acceptance)
{
    const struct vhd_work *work = task->work;
    const bool is_admission = work->admit && !task->is_accepted;
    struct vhd_verdict verdict;

    vhd_verdict_set(&verdict, VHD_OK, NULL);
    enum vhd_result result = (is_admission ? work->admit : work->run)(arg, task, &verdict);
    assert(result == verdict.result);
    assert(result != VHD_OK || is_admission || task->is_committed);
    if (result == VHD_OK && is_admission) {
        if (accept(task, arg, acceptance))
            return true;
        vhd_verdict_set(&verdict, VHD_CANCELLED, NULL);
    }
    work->drop(arg);
    task_end(task, &verdict);
    return false;
}

bool vhd_task_run(struct vhd_task *task, void (*accepted)(void *arg), void *accepted_arg)
{
    const struct acceptance acceptance = {accepted, accepted_arg};
    void *arg = begin_run(task);

    if (arg) {
        tell(task);
        if (run_part(task, arg, &acceptance))
            return true;
    }
    finish_run(task);
    return false;
}

int vhd_task_wait(struct vhd_task *task, int timeout_ms)
{
    if (timeout_ms < -1 || timeout_ms > VHD_TASK_WAIT_MAX)
        return -EINVAL;

    struct timespec deadline = clock_after(clock_monotonic(), timeout_ms < 0 ? 0 : timeout_ms);
    HOLD_LOCK(&task->lock);
    while (!is_end(task->state)) {
        int err = timeout_ms < 0 ? pthread_cond_wait(&task->ended, &task->lock)
                                 : pthread_cond_timedwait(&task->ended, &task->lock, &deadline);
        if (err == ETIMEDOUT && !is_end(task->state))
            return -ETIMEDOUT;
    }
    return 0;
}

int vhd_task_watch(struct vhd_task *task, struct vhd_task_watch *watch)
{
    HOLD_LOCK(&task->lock);
    if (is_end(task->state) || (watch->wants_acceptance && task->is_accepted))
        return -ESRCH;
    SLIST_INSERT_HEAD(&task->watches, watch, link);
    return 0;
}

int vhd_task_unwatch(struct vhd_task *task, struct vhd_task_watch *watch)
{
    HOLD_LOCK(&task->lock);
    return vhd_watches_remove(&task->watches, watch) ? 0 : -ESRCH;
}
