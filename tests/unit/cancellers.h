/* SPDX-License-Identifier: MIT */
/*
 * Two threads that cancel the same queued task. A file that includes this has included cmocka.h
 * before.
 */
#pragma once

#include "race.h"
#include "task/task.h"

/* One of two threads that cancel the same queued task. */
struct canceller {
    struct vhd_task *task;
    int answer;
    bool had_ended;    /* when the cancel returned */
    bool has_returned; /* atomic */
};

static inline void *cancel(void *arg)
{
    struct canceller *canceller = arg;
    canceller->answer = vhd_task_cancel(canceller->task);
    canceller->had_ended = vhd_task_has_ended(canceller->task);
    __atomic_store_n(&canceller->has_returned, true, __ATOMIC_SEQ_CST);
    return NULL;
}
