/* SPDX-License-Identifier: MIT */
/*
 * Syncing at the end. A mapping may have changed pages that only the kernel knows. When the kernel
 * drops its pages of a file, it first sends those that have changed. So after a stop signal vhdfs
 * invalidates each disk that is open for writing, and flushes it. This opens nothing, so it reaches
 * every disk, whatever its name, owner or mode are by now.
 *
 * Each disk has a thread of its own, because a host that hangs holds a thread for good.
 */
#pragma once

#include <stdbool.h>

#include "tree/fs.h"

struct fs_exit_sync;

/* How long a sync waits for the kernel. A host that hangs must not keep the mount. */
enum { FS_EXIT_SYNC_MS = 30000 };

/* Make one for a tree that is served. Returns NULL when memory is short. */
struct fs_exit_sync *fs_exit_sync_new(struct fs *fs);

/*
 * Begin to sync the disks that are open for writing, but those whose earlier sync has not ended.
 * Returns at once. Only the thread that takes the signals calls this and the next two.
 */
void fs_exit_sync_begin(struct fs_exit_sync *sync);

/* Has each sync ended, with success or not? */
bool fs_exit_sync_is_done(struct fs_exit_sync *sync);

/* Log each disk whose pages are not saved, and why. */
void fs_exit_sync_log(struct fs_exit_sync *sync);

/* Wait until each sync has ended. None may begin any more. */
void fs_exit_sync_wait(struct fs_exit_sync *sync);

/* Release it, after fs_exit_sync_wait(). NULL is allowed. */
void fs_exit_sync_free(struct fs_exit_sync *sync);
