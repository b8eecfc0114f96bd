/* SPDX-License-Identifier: MIT */
/*
 * The values of a task's status.
 */
#pragma once

#include "task/task.h"
#include "tree/text.h"

/* The fields of a task's status, in their order. */
enum fs_task_field {
    FS_TASK_FIELD_state,
    FS_TASK_FIELD_percent,
    FS_TASK_FIELD_result,
    FS_TASK_FIELD_errno,
    FS_TASK_FIELD_id,
    FS_TASK_FIELD_operation,
    FS_TASK_FIELD_cancelable,
    FS_TASK_FIELD_started,
    FS_TASK_FIELD_finished,
    FS_TASK_FIELD_rate,
    FS_TASK_FIELD_left,
    FS_TASK_FIELD_description,
    FS_TASK_FIELD_error,
    FS_TASK_FIELD_END,
};

extern const struct fs_field fs_task_fields[]; /* of a struct vhd_task_status; ends in a NULL key */

/* How fast running work moves bytes since it began. */
struct fs_rate {
    bool is_known;
    uint64_t bytes_per_second;
    uint64_t left; /* seconds at that rate */
};

struct fs_rate fs_task_rate(const struct vhd_task_status *status);
