/* SPDX-License-Identifier: MIT */
/*
 * events: the changes of all tasks (tree/events.h), for programs that follow a growing file.
 */
#pragma once

#include "tree/node.h"

extern const struct fs_row_ops fs_events_ops;
