/* SPDX-License-Identifier: MIT */
/*
 * A watch and a listener that call their service: the call would never return if the service held
 * its lock. A file that includes this has included cmocka.h before.
 */
#pragma once

#include "services.h"

/* A listener that calls the service: the call would never return if the service held its lock. */
struct ear {
    struct vhd_service *service;
    unsigned calls, stopping; /* atomic */
    struct gate *gate;        /* gate of each call; NULL for none */
};

static inline void hear(void *arg, struct vhd_task *task)
{
    (void)task;
    struct ear *ear = arg;

    if (vhd_service_is_stopping(ear->service))
        COUNT(ear->stopping);
    COUNT(ear->calls);
    if (ear->gate)
        gate_pass(ear->gate);
}

/* A watch that submits the next task, as the mount does when a task ends. */
struct chain {
    struct vhd_task_watch watch;
    struct vhd_service *service;
    struct job job;
    struct vhd_task *next;
    enum vhd_result result;
    bool is_stopping;
    struct gate done;
};

static inline void hand_in_next(struct vhd_task_watch *watch)
{
    struct chain *chain = (struct chain *)watch;

    chain->is_stopping = vhd_service_is_stopping(chain->service);
    chain->result = vhd_service_submit(chain->service, &quick_work, &chain->job, "d", "Next",
                                       &chain->next, NULL);
    gate_pass(&chain->done);
}
