/* SPDX-License-Identifier: MIT */
/*
 * Going to the background. The first process waits until the tree answers, so that its caller can
 * use the tree at once.
 */
#pragma once

/*
 * What fs_daemon_ready() needs. It is opened before the daemon is confined (confine.h), for nothing
 * of it can be opened then. Each is -1 where there is none.
 */
struct fs_daemon {
    int ready_fd;  /* to the parent that waits */
    int null_fd;   /* /dev/null */
    int notify_fd; /* to the service manager */
    int log_fd;    /* for fs_log_to_syslog(); not ours to close */
};

#define FS_DAEMON_NONE ((struct fs_daemon){-1, -1, -1, -1})

/*
 * Fork, and go on in the child, in a session of its own. The parent exits: with 0 after the child's
 * fs_daemon_ready(), with 32 if the child ends before that.
 *
 *   daemon  its ready_fd and null_fd are set in the child
 *
 * Returns 0 in the child. Or a negative errno: of pipe2(2) or fork(2) in the first process, of
 * open(2) or chdir(2) in the child.
 */
int fs_daemon_fork(struct fs_daemon *daemon);

/* Connect to the service manager that NOTIFY_SOCKET names, if any; see sd_notify(3). */
void fs_daemon_connect(struct fs_daemon *daemon);

/* Let go of the terminal: lead the standard streams to /dev/null. */
void fs_daemon_close_streams(void);

/*
 * Report that the tree answers, to the parent and to the service manager. With a parent, log to
 * syslog from here on and close the standard streams.
 *
 *   daemon  its descriptors are closed and unset, but for the log's
 */
void fs_daemon_ready(struct fs_daemon *daemon);
