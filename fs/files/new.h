/*
 * new/: to write a request to new/NAME is to have a disk made.
 */
#pragma once

#include "tree/node.h"

extern const struct fs_row_ops fs_new_ops;     /* new/ */
extern const struct fs_row_ops fs_request_ops; /* new/NAME */
