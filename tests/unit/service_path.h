/* SPDX-License-Identifier: MIT */
/*
 *
 */
#pragma once

#include "scratch.h"
#include "vhd.h"

static inline struct vhd_service *service_with(unsigned workers)
{
    struct vhd_service *service;
    assert_int_equal(vhd_service_new(workers, 1, &service), 0);
    return service;
}

/* Ask with and without a sentence; a refusal leaves its results as they were. */
static inline enum vhd_result answer(struct vhd_service *service, const char *path, int64_t size_mb)
{
    struct vhd_verdict why = {0};
    struct vhd_task *task = NULL;

    enum vhd_result result = vhd_create_dynamic(service, path, size_mb, &task, &why);
    if (result == VHD_OK) {
        struct vhd_task_status status;
        vhd_task_wait(task, -1);
        vhd_task_status(task, &status);
        vhd_task_unref(task);
        return status.verdict.result;
    }
    if (task || why.result != result || !*why.sentence ||
        vhd_create_dynamic(service, path, size_mb, &task, NULL) != result)
        return VHD_OUTCOME_COUNT;
    return result;
}
