/*
 * Syncing at the end. A mapping may have changed pages that only the kernel knows. It hands them
 * over when the file is synced. So a stop signal opens the raw of each disk that is open for
 * writing, through the mount as any program does, and syncs it before the mount is detached. The
 * files stay open until nobody else writes to their disks, so that they can be synced again.
 *
 * Each disk has a thread of its own, since a host that does not answer holds it for good. A thread
 * that waits there cannot be killed before its request is answered, and the connection to the
 * kernel, whose end answers everything, stays open while any thread has it. So these threads have a
 * table of descriptors of their own, without the connection.
 *
 * For one thread alone, which must not be one that serves the kernel.
 */
#pragma once

#include <stdbool.h>

#include "tree/fs.h"

struct fs_mount;
struct fs_exit_sync;

/*
 * Begin to open and sync the disks that are open for writing. Returns at once.
 *
 *   mount  ours, which answers
 *
 * Returns NULL when there is none, or memory is short (logged).
 */
struct fs_exit_sync *fs_exit_sync_start(struct fs *fs, const struct fs_mount *mount);

/* Sync all once more. Returns at once. */
void fs_exit_sync_again(struct fs_exit_sync *sync);

/* Has each disk been synced as often as asked, or failed? */
bool fs_exit_sync_is_done(struct fs_exit_sync *sync);

/* Log each disk whose pages are not saved, and why. */
void fs_exit_sync_log(struct fs_exit_sync *sync);

/* Close those that nobody writes to any more. Are there others? */
bool fs_exit_sync_release(struct fs_exit_sync *sync);

/* Close all, without waiting for it; NULL is allowed. */
void fs_exit_sync_end(struct fs_exit_sync *sync);
