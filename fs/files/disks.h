/* SPDX-License-Identifier: MIT */
/*
 * disks/: the disks of the store.
 */
#pragma once

#include "tree/node.h"

extern const struct fs_row_ops fs_disks_ops;      /* disks/ */
extern const struct fs_row_ops fs_disk_ops;       /* disks/NAME/ */
extern const struct fs_row_ops fs_disk_alias_ops; /* disks/NAME.vhd, a symlink to NAME */
extern const struct fs_row_ops fs_disk_task_ops;  /* disks/NAME/task */
