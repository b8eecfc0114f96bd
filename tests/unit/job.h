/* SPDX-License-Identifier: MIT */
/*
 * Work for tests of tasks, long or quick. It passes gates, so a test chooses the moment of each
 * part. A file that includes this has included cmocka.h before.
 */
#pragma once

#include <signal.h>
#include <string.h>

#include "gate.h"
#include "task/task.h"

struct job {
    struct gate admitting, before, behind; /* before and behind the commit of its run */
    struct gate *dropping;                 /* while its argument is dropped; NULL for none */
    enum vhd_result refuses;               /* outcome of the admission; VHD_OK to accept */
    enum vhd_result fails;                 /* outcome of the run; VHD_OK for success */
    unsigned admissions, runs, drops;      /* atomic */
    unsigned turn;                         /* its place in the order of runs */
    sigset_t signals;                      /* blocked during its run */
};

/* Work that stands still at each gate but dropping. */
#define JOB_GATED                                                                                  \
    ((struct job){.admitting = GATE_CLOSED, .before = GATE_CLOSED, .behind = GATE_CLOSED})

/* Work that stands still in its admission and before its commit. */
static inline struct job job_before_commit(void)
{
    struct job job = JOB_GATED;
    job.behind.is_open = true;
    return job;
}

/* Work that stands still before its commit alone. */
static inline struct job job_admitted(void)
{
    struct job job = job_before_commit();
    job.admitting.is_open = true;
    return job;
}

/* Work that stands still nowhere. */
static inline struct job job_at_once(void)
{
    struct job job = job_admitted();
    job.before.is_open = true;
    return job;
}

static unsigned job_turns; /* atomic */

static inline enum vhd_result job_admit(void *arg, struct vhd_task *task, struct vhd_verdict *ret)
{
    struct job *job = arg;

    (void)task;
    COUNT(job->admissions);
    gate_pass(&job->admitting);
    return job->refuses == VHD_OK ? VHD_OK
                                  : vhd_verdict_set(ret, job->refuses, "as the test wants it");
}

static inline enum vhd_result job_run(void *arg, struct vhd_task *task, struct vhd_verdict *ret)
{
    struct job *job = arg;

    job->turn = __atomic_add_fetch(&job_turns, 1, __ATOMIC_SEQ_CST);
    COUNT(job->runs);
    pthread_sigmask(SIG_BLOCK, NULL, &job->signals);
    gate_pass(&job->before);
    if (job->fails != VHD_OK)
        return vhd_verdict_set(ret, job->fails, "as the test wants it");
    if (!vhd_task_commit(task))
        return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    gate_pass(&job->behind);
    return VHD_OK;
}

static inline void job_drop(void *arg)
{
    struct job *job = arg;

    if (job->dropping)
        gate_pass(job->dropping);
    COUNT(job->drops);
}

static const struct vhd_work long_work = {
    .operation = "long",
    .admit = job_admit,
    .run = job_run,
    .drop = job_drop,
};

/* The same without an admission. */
static const struct vhd_work quick_work = {
    .operation = "quick",
    .run = job_run,
    .drop = job_drop,
};

static inline struct vhd_task *task_of(const struct vhd_work *work, struct job *job)
{
    struct vhd_task *task = vhd_task_new(7, work, job, "d", "Do as the test wants");
    assert_non_null(task);
    return task;
}

static inline struct vhd_task_status status_of(struct vhd_task *task)
{
    struct vhd_task_status status;
    memset(&status, 0xA5, sizeof status);
    vhd_task_status(task, &status);
    return status;
}

static inline bool is_zero(struct timespec time)
{
    return time.tv_sec == 0 && time.tv_nsec == 0;
}

static inline bool is_before(struct timespec a, struct timespec b)
{
    return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

/* A thread that runs a task once. */
struct runner {
    struct vhd_task *task;
    pthread_t thread;
    bool was_accepted;
};

static inline void *run_once(void *arg)
{
    struct runner *runner = arg;
    runner->was_accepted = vhd_task_run(runner->task, NULL, NULL);
    return NULL;
}

static inline void runner_begin(struct runner *runner, struct vhd_task *task)
{
    *runner = (struct runner){.task = task};
    assert_int_equal(pthread_create(&runner->thread, NULL, run_once, runner), 0);
}

/* Returns what vhd_task_run() returned. */
static inline bool runner_end(struct runner *runner)
{
    pthread_join(runner->thread, NULL);
    return runner->was_accepted;
}
