/*
 * A task: a piece of work with a state, progress and an outcome, which others can watch, wait for
 * and cancel. It is what IVMTask and IVMTask2 are in Virtual Server. It knows nothing of disks.
 *
 * Every function may be called from any thread. Each task has one lock, a leaf: no other lock is
 * taken, and nothing of the caller's is called, while it is held.
 *
 * Source: Virtual Server 2005 reference, "IVMTask" and "IVMTask2".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#include "result/result.h"

struct vhd_task;

enum vhd_task_state {
    VHD_TASK_QUEUED,
    VHD_TASK_RUNNING,
    VHD_TASK_COMPLETED,
    VHD_TASK_FAILED,
    VHD_TASK_STOPPED, /* cancelled */
};

/* The state's name as a user reads it: "queued", "running", "completed", "failed", "cancelled". */
const char *vhd_task_state_name(enum vhd_task_state state);

/* A task at one instant: all values belong together. */
struct vhd_task_status {
    uint64_t id; /* from 1, never given twice by one service */
    enum vhd_task_state state;
    unsigned percent;           /* 0 to 99; 100 only when completed */
    bool is_complete;           /* it has ended, well or not */
    bool is_cancelable;         /* a cancel would be heard now */
    const char *operation;      /* one word: "create"; lives as long as the task */
    const char *description;    /* one line; lives as long as the task */
    struct timespec changed;    /* of the last change of any value here */
    struct timespec started;    /* zero while queued */
    struct timespec finished;   /* zero until it has ended */
    struct vhd_verdict verdict; /* VHD_PENDING until it has ended */
};

void vhd_task_status(struct vhd_task *task, struct vhd_task_status *ret);

/* True once the task has ended, well or not. */
bool vhd_task_has_ended(struct vhd_task *task);

/* Take another reference; returns task. */
struct vhd_task *vhd_task_ref(struct vhd_task *task);

/* Drop a reference; NULL is allowed. */
void vhd_task_unref(struct vhd_task *task);

/*
 * Ask the task to stop. The call does not wait: a queued task has ended when it returns, a running
 * one ends as VHD_TASK_STOPPED after it has rolled back, which may fail and is then told instead.
 *
 * Returns 0, and then the task does not complete, or
 *   -ESRCH  it has ended already
 *   -EBUSY  it is past the point where it can be stopped
 */
int vhd_task_cancel(struct vhd_task *task);

/* The longest wait with an end, in milliseconds. */
#define VHD_TASK_WAIT_MAX 4000000

/*
 * Wait until the task has ended.
 *
 *   timeout_ms  0 to VHD_TASK_WAIT_MAX, or -1 to wait for ever
 *
 * Returns 0, or
 *   -ETIMEDOUT  it was still at work after timeout_ms
 *   -EINVAL     timeout_ms is out of range (Virtual PC answers E_INVALIDARG here)
 */
int vhd_task_wait(struct vhd_task *task, int timeout_ms);

/* Somebody who wants to be told, once, when a task ends. */
struct vhd_task_watch {
    SLIST_ENTRY(vhd_task_watch) link;            /* the task's lock guards it */
    void (*ended)(struct vhd_task_watch *watch); /* called on the thread that ended the task */
};

/*
 * Have watch->ended() called when the task ends. It is called without any lock held and the watch
 * has left the task by then, so that it may be freed there.
 *
 * Returns 0, or -ESRCH if the task has ended already: ended() will not be called.
 */
int vhd_task_watch(struct vhd_task *task, struct vhd_task_watch *watch);

/*
 * Take a watch back before it is called.
 *
 * Returns 0, or -ESRCH if its ended() has been or is about to be called: exactly one of the two
 * callers gets the watch.
 */
int vhd_task_unwatch(struct vhd_task *task, struct vhd_task_watch *watch);

/*
 * What a task does. The functions get the work's own argument.
 */
struct vhd_work {
    const char *operation; /* one word, static */

    /*
     * Do it, on a worker. It looks at vhd_task_is_cancelled() before each long step, returns
     * VHD_OK only after vhd_task_commit() has let it, and otherwise leaves nothing half made.
     */
    enum vhd_result (*run)(void *arg, struct vhd_task *task, struct vhd_verdict *ret);

    /* Release arg. Called exactly once, after run or instead of it, before the task has ended. */
    void (*drop)(void *arg);
};

/* For the work itself: has somebody asked the task to stop? */
bool vhd_task_is_cancelled(struct vhd_task *task);

/*
 * For the work itself: pass the point of no return.
 *
 * Returns true when nobody has asked the task to stop; from now on nobody can. On false the work
 * rolls back and ends as VHD_CANCELLED.
 */
bool vhd_task_commit(struct vhd_task *task);

/* For the work itself: tell how far it is, in percent; never goes back, 99 at most. */
void vhd_task_progress(struct vhd_task *task, unsigned percent);

/*
 * For the service (task/service.h), which gives tasks their ids and workers.
 */

/*
 * Make a queued task.
 *
 *   description  copied
 *   arg          not NULL; taken over, dropped also when the call fails
 *
 * Returns NULL when memory is short.
 */
struct vhd_task *vhd_task_new(uint64_t id, const struct vhd_work *work, void *arg,
                              const char *description);

/*
 * Make a task that has ended already: the record of a request that was refused.
 *
 *   verdict  not VHD_OK
 *
 * Returns NULL when memory is short.
 */
struct vhd_task *vhd_task_new_refused(uint64_t id, const char *operation, const char *description,
                                      const struct vhd_verdict *verdict);

/* Somebody who wants to be told of every change of the tasks of a service. */
struct vhd_task_listener {
    void (*changed)(void *arg); /* called without any lock held, on any thread */
    void *arg;
};

/* Have the listener told of the task's changes; before anybody else knows the task. */
void vhd_task_listen(struct vhd_task *task, const struct vhd_task_listener *listener);

/*
 * Do a queued task's work on this thread; nothing if it was cancelled meanwhile. Returns when the
 * task has ended and all who watch and listen have been told.
 */
void vhd_task_run(struct vhd_task *task);
