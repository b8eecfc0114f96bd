/* SPDX-License-Identifier: MIT */
/*
 * A task: a piece of work with a state, progress and an outcome. Threads can watch it, wait for it
 * and cancel it. It corresponds to IVMTask and IVMTask2 of Virtual Server. It knows nothing of
 * disks.
 *
 * Any thread may call any function here. Each task has one lock, a leaf: while it is held, no other
 * lock is taken and no callback runs.
 *
 * Source: Virtual Server 2005 reference, "IVMTask" and "IVMTask2".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "result/result.h"
#include "task/watches.h"

struct vhd_task;

enum vhd_task_state {
    VHD_TASK_QUEUED,
    VHD_TASK_RUNNING,
    VHD_TASK_COMPLETED,
    VHD_TASK_FAILED,
    VHD_TASK_STOPPED, /* cancelled */
};

/* The name of a state for users: "queued", "running", "completed", "failed", "cancelled". */
const char *vhd_task_state_name(enum vhd_task_state state);

/* A task at one instant; all values are of the same instant. */
struct vhd_task_status {
    uint64_t id; /* from 1; a service never gives an id twice */
    enum vhd_task_state state;
    unsigned percent;           /* 0 to 99; 100 only when completed */
    uint64_t done, total;       /* bytes of long work; total is 0 where nothing counts them */
    bool is_complete;           /* the task has ended, with success or not */
    bool is_accepted;           /* long work that was admitted */
    bool is_cancelable;         /* a cancel has an effect now */
    const char *name;           /* of the object it works on; lives as long as the task */
    const char *operation;      /* one word: "create"; lives as long as the task */
    const char *description;    /* one line; lives as long as the task */
    struct timespec changed;    /* time of the last change of any value here */
    struct timespec started;    /* zero while queued */
    struct timespec finished;   /* zero until the end */
    struct vhd_verdict verdict; /* VHD_PENDING until the end */
};

/* Copy the status of a task as it is now. */
void vhd_task_status(struct vhd_task *task, struct vhd_task_status *ret);

/* Has the task ended, with success or not? */
bool vhd_task_has_ended(struct vhd_task *task);

/* Take another reference; returns task. */
struct vhd_task *vhd_task_ref(struct vhd_task *task);

/* Drop a reference; NULL is allowed. */
void vhd_task_unref(struct vhd_task *task);

/*
 * Ask the task to stop, without waiting for a running one. A queued task has ended when the call
 * returns. A running one rolls back and ends as VHD_TASK_STOPPED; if it cannot roll back, it fails.
 *
 * Returns 0, and then the task does not complete, or
 *   -ESRCH  it has already ended
 *   -EBUSY  it is past the point where it can stop
 */
int vhd_task_cancel(struct vhd_task *task);

/* The longest timeout of vhd_task_wait(), in milliseconds. */
#define VHD_TASK_WAIT_MAX 4000000

/*
 * Wait until the task has ended.
 *
 *   timeout_ms  0 to VHD_TASK_WAIT_MAX, or -1 for no limit
 *
 * Returns 0, or
 *   -ETIMEDOUT  it had not ended after timeout_ms
 *   -EINVAL     timeout_ms is out of range (Virtual PC answers E_INVALIDARG here)
 */
int vhd_task_wait(struct vhd_task *task, int timeout_ms);

/*
 * Call watch->reached() when the task ends, or is accepted. No lock is held then, and the watch has
 * left the task, so reached() may free it.
 *
 * Returns 0, or -ESRCH if that has already happened: reached() does not run.
 */
int vhd_task_watch(struct vhd_task *task, struct vhd_task_watch *watch);

/*
 * Remove a watch before its call.
 *
 * Returns 0, or -ESRCH if reached() has run or is about to run. So the watch belongs either to this
 * caller or to reached(), never to both.
 */
int vhd_task_unwatch(struct vhd_task *task, struct vhd_task_watch *watch);

/*
 * The kind of work that a task does. All functions get the task's arg.
 *
 * Long work has two parts. admit() judges it, quickly. Then the task is accepted: the caller can
 * go on, and run() comes when its turn does.
 */
struct vhd_work {
    const char *operation; /* one word, static */

    /* Judge long work, on a quick worker; NULL for quick work. Returns VHD_OK to accept it. */
    enum vhd_result (*admit)(void *arg, struct vhd_task *task, struct vhd_verdict *ret);

    /*
     * Do the work, on a worker. Look at vhd_task_is_cancelled() before each long step. Return
     * VHD_OK only after vhd_task_commit() has returned true; otherwise undo everything first.
     */
    enum vhd_result (*run)(void *arg, struct vhd_task *task, struct vhd_verdict *ret);

    /* Release arg. Called exactly once, after the other calls, before the task ends. */
    void (*drop)(void *arg);
};

/* For run(): has a caller asked the task to stop? */
bool vhd_task_is_cancelled(struct vhd_task *task);

/*
 * For run(): pass the point of no return.
 *
 * Returns true if no caller has asked the task to stop; from then on none can. After false the work
 * rolls back and ends as VHD_CANCELLED.
 */
bool vhd_task_commit(struct vhd_task *task);

/* For run(): set the progress, in percent. It never goes back, and 99 is the most. */
void vhd_task_progress(struct vhd_task *task, unsigned percent);

/*
 * The same for work that moves bytes, so that its rate is known.
 *
 *   done, total  bytes; done is at most total, which is above 0
 */
void vhd_task_advance(struct vhd_task *task, uint64_t done, uint64_t total);

/* For run(): give the task a report, which is empty at first. A second call does nothing. */
void vhd_task_report_begin(struct vhd_task *task);

/*
 * For run(): add a line to the report, and give the task one first if it has none. A line beyond
 * VHD_REPORT_MAX (report.h), or one that memory is too short for, only counts: then a last line
 * says how many there are.
 *
 *   format  as printf, without a newline; the line is made tidy as by vhd_verdict_set()
 */
void vhd_task_report_add(struct vhd_task *task, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Has the task a report? */
bool vhd_task_has_report(struct vhd_task *task);

/*
 * Copy the report of a task as it is now.
 *
 *   ret_text  receives the lines, a terminated text that the caller frees
 *
 * Returns 0, -ENOENT when the task has no report, or -ENOMEM.
 */
int vhd_task_report(struct vhd_task *task, char **ret_text);

/* The rest is for the service (task/service.h), which gives tasks their ids and workers. */

/*
 * Make a queued task.
 *
 *   name, description  copied
 *   arg          not NULL. The call takes it over, and drops it when it fails
 *
 * Returns NULL when memory is short.
 */
struct vhd_task *vhd_task_new(uint64_t id, const struct vhd_work *work, void *arg, const char *name,
                              const char *description);

/*
 * Make a task that has already failed: the record of a refused request.
 *
 *   verdict  not VHD_OK
 *
 * Returns NULL when memory is short.
 */
struct vhd_task *vhd_task_new_refused(uint64_t id, const char *operation, const char *name,
                                      const char *description, const struct vhd_verdict *verdict);

/* A callback for every change of the tasks of a service. */
struct vhd_task_listener {
    /* Runs on any thread, without any lock held. The task may have changed again since. */
    void (*changed)(void *arg, struct vhd_task *task);
    void *arg;
};

/* Set the listener of a task. Call this before any other thread knows the task. */
void vhd_task_listen(struct vhd_task *task, const struct vhd_task_listener *listener);

/*
 * Do a queued task's work on this thread, or admit its long work, unless a cancel came first.
 *
 *   accepted, arg  called when the task is accepted, before any watch: so work is queued in the
 *                  order of its requests. Another thread may run it from then on. NULL for none
 *
 * Returns true if the task was accepted: it is queued again, and another call runs it. Else it has
 * ended, and all watches and the listener have been called.
 */
bool vhd_task_run(struct vhd_task *task, void (*accepted)(void *arg), void *arg);
