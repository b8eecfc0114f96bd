/* SPDX-License-Identifier: MIT */
/*
 * disks/NAME/ctl: a write is a verb, which becomes a task of the disk; a read lists the verbs that
 * fit the disk.
 */
#pragma once

#include "tree/node.h"

extern const struct fs_row_ops fs_disk_ctl_ops;
