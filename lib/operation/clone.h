/* SPDX-License-Identifier: MIT */
/*
 * Cloning: the content of an open disk, its parents included, becomes that of a new image, which
 * has no name yet. So the order of its writes does not matter before the sync that follows.
 *
 * Where the host can share the space of both files (reflink), a dynamic disk does. Else holes and
 * blocks of zeros stay holes. The host writes back while the copy goes on, and keeps neither file
 * in its cache.
 */
#pragma once

#include "disk/disk.h"
#include "operation/blank.h"
#include "task/task.h"

/*
 * Clone a disk into a new image.
 *
 *   fd      the image, open for reading and writing: of a dynamic disk, empty; of a fixed one, with
 *           its content reserved
 *   blank   a dynamic image's layout; NULL for a fixed disk
 *   source  open for reading, not larger than the new disk
 *   task    gets the progress, and a cancel of it ends the call; NULL for none
 *
 * A dynamic image is complete then. A fixed one still lacks its footer.
 *
 * Returns 0; -ECANCELED; -ENOMEM; or a negative errno of pread(2), pwritev(2) or
 * sync_file_range(2), such as -ENOSPC.
 */
int vhd_clone(int fd, const struct vhd_blank *blank, struct vhd_disk *source,
              struct vhd_task *task);
