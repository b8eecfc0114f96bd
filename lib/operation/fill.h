/* SPDX-License-Identifier: MIT */
/*
 * Filling a draft: the whole image of a new disk, with the content of another disk or none.
 */
#pragma once

#include "disk/disk.h"
#include "operation/blank.h"
#include "task/task.h"

/*
 * Write an image into an empty file that has no name yet. A fixed disk takes all its space.
 *
 *   fd      open for reading and writing
 *   source  the disk that is copied, not larger than the new one, its parents included; NULL for
 *           none
 *   task    gets the progress, and a cancel of it ends the call; NULL for none
 *
 * Returns as vhd_preallocate() or vhd_clone().
 */
int vhd_fill(int fd, const struct vhd_blank *blank, struct vhd_disk *source, struct vhd_task *task);
