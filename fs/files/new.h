/* SPDX-License-Identifier: MIT */
/*
 * new/: a write of a request to new/NAME makes a disk.
 */
#pragma once

#include "tree/node.h"

extern const struct fs_row_ops fs_new_ops;     /* new/ */
extern const struct fs_row_ops fs_request_ops; /* new/NAME */
