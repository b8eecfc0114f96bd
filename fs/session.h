/*
 * The session with the kernel: mounted, served by threads, ended by an unmount or a signal.
 */
#pragma once

#include "tree/fs.h"
#include "process/options.h"

struct fs_session;

/*
 * Begin a session. Nothing outside the process changes but the pid file.
 *
 *   fs       filled in by the time it is served, but for what has threads; it stays the caller's
 *   options  the same
 *
 * Returns FS_EXIT_OK, or FS_EXIT_USAGE when libfuse does not know an option or the pid file cannot
 * be made, or FS_EXIT_MOUNT when memory is short; what was wrong has been told.
 */
enum fs_exit fs_session_new(struct fs *fs, struct fs_options *options, struct fs_session **ret);

/* Mount, on a folder that is made if missing. Returns FS_EXIT_OK or FS_EXIT_MOUNT, and tells why.
 */
enum fs_exit fs_session_mount(struct fs_session *session);

/*
 * Serve until the tree has been unmounted and the last file closed. Tasks at work are then
 * cancelled and rolled back.
 *
 * SIGTERM, SIGINT and SIGHUP detach the mount: nothing new is taken, open files are served to
 * their last close. What programs have written, through mappings too, is synced then, and again
 * when a second one comes, which ends the process.
 *
 * Returns FS_EXIT_OK, or FS_EXIT_MOUNT when it could not be served, which has been logged.
 */
enum fs_exit fs_session_serve(struct fs_session *session);

/* Unmount, if that has not happened, and release the session. */
void fs_session_end(struct fs_session *session);
