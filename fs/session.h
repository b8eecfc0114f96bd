/*
 * The session with the kernel: mounted, served by threads, ended by an unmount or a signal.
 */
#pragma once

#include "fs.h"
#include "options.h"

struct fs_session;

/*
 * Mount.
 *
 *   fs  filled in but for service and parking, whose threads begin when it is served; it stays
 *       the caller's
 *
 * Returns FS_EXIT_OK, FS_EXIT_USAGE when libfuse knows an option not, or FS_EXIT_MOUNT; what was
 * wrong has been told.
 */
enum fs_exit fs_session_mount(struct fs *fs, struct fs_options *options, struct fs_session **ret);

/*
 * Serve until the tree has been unmounted and the last file closed, then unwind. Tasks at work are
 * cancelled and rolled back. The session is released.
 *
 * SIGTERM, SIGINT and SIGHUP detach the mount: nothing new is taken, open files are served to
 * their last close. A second one ends the process at once.
 */
enum fs_exit fs_session_serve(struct fs_session *session);
