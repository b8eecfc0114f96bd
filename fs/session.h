/* SPDX-License-Identifier: MIT */
/*
 * The session with the kernel. Threads serve it, and an unmount or a signal ends it.
 */
#pragma once

#include "tree/fs.h"
#include "process/options.h"

struct fs_session;

/*
 * Begin a session. It changes nothing outside the process but the pid file.
 *
 *   fs       stays the caller's; complete before it is served, but for the members with threads
 *   options  stays the caller's
 *
 * Returns FS_EXIT_OK; FS_EXIT_USAGE, with a message on stderr, when libfuse does not know an option
 * or the pid file cannot be made; or FS_EXIT_MOUNT when memory is short.
 */
enum fs_exit fs_session_new(struct fs *fs, struct fs_options *options, struct fs_session **ret);

/*
 * Mount, on a folder that is made if it is missing.
 *
 * Returns FS_EXIT_OK; or FS_EXIT_MOUNT, with the cause on stderr.
 */
enum fs_exit fs_session_mount(struct fs_session *session);

/*
 * Serve until the tree is unmounted and the last file is closed. Tasks at work are then cancelled
 * and rolled back.
 *
 * SIGTERM, SIGINT and SIGHUP refuse new requests, sync the disks that are open for writing, and
 * detach the mount; open files are served until their last close. A second signal syncs again and
 * ends the process. See fs/README.md, "The end".
 *
 * Returns FS_EXIT_OK, or FS_EXIT_MOUNT when it cannot serve (logged).
 */
enum fs_exit fs_session_serve(struct fs_session *session);

/* Unmount if the tree is still mounted, and release the session. */
void fs_session_end(struct fs_session *session);
