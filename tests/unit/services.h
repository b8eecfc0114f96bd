/* SPDX-License-Identifier: MIT */
/*
 * Services at work. A file that includes this has included cmocka.h before.
 */
#pragma once

#include "job.h"
#include "task/service.h"

static inline struct vhd_service *service_with(unsigned quick, unsigned jobs)
{
    struct vhd_service *service;
    assert_int_equal(vhd_service_new(quick, jobs, &service), 0);
    return service;
}

static inline struct vhd_task *submit(struct vhd_service *service, const struct vhd_work *work,
                                      struct job *job)
{
    struct vhd_task *task;
    struct vhd_verdict verdict;
    assert_int_equal(vhd_service_submit(service, work, job, "d", "Do it", &task, &verdict), VHD_OK);
    return task;
}

/* Submit long work, and wait until it is accepted. */
static inline struct vhd_task *submit_accepted(struct vhd_service *service, struct job *job)
{
    struct vhd_task *task = submit(service, &long_work, job);
    UNTIL(status_of(task).is_accepted);
    return task;
}

/* The task has ended, with or without a run; its work is dropped once. */
static inline void expect_end(struct vhd_task *task, const struct job *job,
                              enum vhd_task_state state, unsigned runs)
{
    assert_int_equal(vhd_task_wait(task, -1), 0);
    assert_int_equal(status_of(task).state, state);
    assert_int_equal(READ(job->runs), runs);
    assert_int_equal(READ(job->drops), 1);
}

/* A thread that frees a service. */
struct freer {
    struct vhd_service *service;
    pthread_t thread;
    bool has_returned; /* atomic */
};

static inline void *free_service(void *arg)
{
    struct freer *freer = arg;
    vhd_service_free(freer->service);
    __atomic_store_n(&freer->has_returned, true, __ATOMIC_SEQ_CST);
    return NULL;
}

static inline void freer_begin(struct freer *freer, struct vhd_service *service)
{
    *freer = (struct freer){.service = service};
    assert_int_equal(pthread_create(&freer->thread, NULL, free_service, freer), 0);
}
