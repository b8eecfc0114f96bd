/* SPDX-License-Identifier: MIT */
/*
 * Going to the background. The first process waits until the tree answers, so that its caller can
 * use the tree at once.
 */
#pragma once

/*
 * Fork, and go on in the child, in a session of its own. The parent exits: with 0 after the child's
 * fs_daemon_ready(), with 32 if the child ends before that.
 *
 * Returns 0 in the child, and in *ret_ready_fd the descriptor for fs_daemon_ready(). Or a negative
 * errno: of pipe2(2) or fork(2) in the first process, of chdir(2) in the child.
 */
int fs_daemon_fork(int *ret_ready_fd);

/* Let go of the terminal: lead the standard streams to /dev/null. */
void fs_daemon_close_streams(void);

/*
 * Report that the tree answers, to the parent and to the service manager that NOTIFY_SOCKET names
 * (see sd_notify(3)). With a parent, log to syslog from here on and close the standard streams.
 *
 *   ready_fd  closed; -1 where no parent waits
 */
void fs_daemon_ready(int ready_fd);
