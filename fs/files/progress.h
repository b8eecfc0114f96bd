/* SPDX-License-Identifier: MIT */
/*
 * tasks/NAME/progress: a line that shows how far a task is, drawn again and again by the reads of
 * one program.
 */
#pragma once

#include "tree/node.h"

extern const struct fs_row_ops fs_task_progress_ops;
