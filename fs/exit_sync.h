/*
 * Syncing at the end. A mapping may have changed pages that only the kernel knows. The kernel sends
 * them when the file is synced. So after a stop signal vhdfs opens raw of each disk that is open
 * for writing, through the mount as any program does, and syncs it before the mount is detached.
 * The files stay open until no other program writes to their disks, so they can be synced again.
 *
 * Each disk has a thread of its own, because a file system of the store that hangs holds a thread
 * for good. Such a thread cannot be killed before its request has a reply. The end of the
 * connection to the kernel gives every request a reply, but a thread that has the connection keeps
 * it open. So these threads have a descriptor table of their own, without the connection.
 *
 * Only one thread may call these functions, and none that serves the kernel.
 */
#pragma once

#include <stdbool.h>

#include "tree/fs.h"

struct fs_mount;
struct fs_exit_sync;

/*
 * Begin to open and sync the disks that are open for writing. Returns at once.
 *
 *   mount  ours, which is being served
 *
 * Returns NULL when no disk is open for writing, or memory is short (logged).
 */
struct fs_exit_sync *fs_exit_sync_start(struct fs *fs, const struct fs_mount *mount);

/* Sync all once more. Returns at once. */
void fs_exit_sync_again(struct fs_exit_sync *sync);

/* Has each disk been synced as often as asked, or failed? */
bool fs_exit_sync_is_done(struct fs_exit_sync *sync);

/* Log each disk whose pages are not saved, and why. */
void fs_exit_sync_log(struct fs_exit_sync *sync);

/* Close the disks that no other program writes to. Returns true when some are left. */
bool fs_exit_sync_release(struct fs_exit_sync *sync);

/* Close all, without a wait for the threads; NULL is allowed. */
void fs_exit_sync_end(struct fs_exit_sync *sync);
