/* SPDX-License-Identifier: MIT */
/*
 * The content of a fixed disk: zeros, in space of the host that is the disk's from then on.
 */
#pragma once

#include <stdint.h>

#include "task/task.h"

/*
 * Reserve a range of a file, with progress. Where the host cannot reserve space, zeros are written,
 * and synced as they go, so that the sync at the end is short. So no byte of the range may have
 * data. The file ends at the range's end or behind it.
 *
 *   fd       open for writing
 *   at, end  bytes
 *   percent  the task's progress at the end
 *   task     gets the progress; a cancel of it ends the call. NULL for none
 *
 * Returns 0; -ECANCELED; or the negative errno of fallocate(2), pwrite(2) or fdatasync(2), such as
 * -ENOSPC.
 */
int vhd_preallocate(int fd, uint64_t at, uint64_t end, unsigned percent, struct vhd_task *task);

/*
 * The same, but the file keeps its length, and data in the range stays.
 *
 * Returns as vhd_preallocate(); -EOPNOTSUPP where the host cannot reserve space behind the end of a
 * file.
 */
int vhd_preallocate_behind(int fd, uint64_t at, uint64_t end, unsigned percent,
                           struct vhd_task *task);
