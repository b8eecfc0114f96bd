/*
 * Long work for tests, and quick work beside it. Both pass gates, so a test chooses the moment of
 * each part. A file that includes this has included cmocka.h before.
 */
#pragma once

#include <signal.h>

#include "gate.h"
#include "task/task.h"

struct long_job {
    struct gate admitting, running;   /* running: before the commit */
    struct gate *dropping;            /* while its argument is dropped; NULL for none */
    enum vhd_result refuses;          /* outcome of the admission; VHD_OK to accept */
    unsigned admissions, runs, drops; /* atomic */
    unsigned turn;                    /* its place in the order of runs */
    sigset_t signals;                 /* blocked during its run */
};

#define LONG_JOB_GATED                                                                             \
    ((struct long_job){.admitting = GATE_CLOSED, .running = GATE_CLOSED, .refuses = VHD_OK})

/* Work that stands still in its run alone. */
static inline struct long_job long_job_admitted(void)
{
    struct long_job job = LONG_JOB_GATED;
    job.admitting.is_open = true;
    return job;
}

/* Work that stands still nowhere. */
static inline struct long_job long_job_at_once(void)
{
    struct long_job job = long_job_admitted();
    job.running.is_open = true;
    return job;
}

static unsigned long_job_turns; /* atomic */

static inline enum vhd_result long_job_admit(void *arg, struct vhd_task *task,
                                             struct vhd_verdict *ret)
{
    struct long_job *job = arg;

    (void)task;
    COUNT(job->admissions);
    gate_pass(&job->admitting);
    return job->refuses == VHD_OK ? VHD_OK
                                  : vhd_verdict_set(ret, job->refuses, "as the test wants it");
}

static inline enum vhd_result long_job_run(void *arg, struct vhd_task *task,
                                           struct vhd_verdict *ret)
{
    struct long_job *job = arg;

    job->turn = __atomic_add_fetch(&long_job_turns, 1, __ATOMIC_SEQ_CST);
    COUNT(job->runs);
    pthread_sigmask(SIG_BLOCK, NULL, &job->signals);
    gate_pass(&job->running);
    return vhd_task_commit(task) ? VHD_OK : vhd_verdict_set(ret, VHD_CANCELLED, NULL);
}

static inline void long_job_drop(void *arg)
{
    struct long_job *job = arg;

    if (job->dropping)
        gate_pass(job->dropping);
    COUNT(job->drops);
}

static const struct vhd_work long_work = {
    .operation = "long",
    .admit = long_job_admit,
    .run = long_job_run,
    .drop = long_job_drop,
};

/* The same without an admission. */
static const struct vhd_work quick_work = {
    .operation = "quick",
    .run = long_job_run,
    .drop = long_job_drop,
};

static inline struct vhd_task_status status_of(struct vhd_task *task)
{
    struct vhd_task_status status;

    vhd_task_status(task, &status);
    return status;
}
