/* SPDX-License-Identifier: MIT */
/*
 * The content of a new fixed disk: zeros, in space of the host that is the disk's from then on.
 */
#pragma once

#include <stdint.h>

#include "task/task.h"

/*
 * Reserve the content of an empty file, with progress. Where the host cannot reserve space, zeros
 * are written, and synced as they go, so that the sync at the end is short.
 *
 *   fd       open for writing
 *   length   bytes
 *   percent  the task's progress at the end
 *   task     gets the progress; a cancel of it ends the call. NULL for none
 *
 * Returns 0; -ECANCELED; or the negative errno of fallocate(2), pwrite(2) or fdatasync(2), such as
 * -ENOSPC.
 */
int vhd_preallocate(int fd, uint64_t length, unsigned percent, struct vhd_task *task);
