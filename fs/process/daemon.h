/*
 * Going to the background. The process that was called waits until the tree answers, so that
 * whoever called it can use the tree at once.
 */
#pragma once

/*
 * Fork, and go on in the child, in a session of its own. The parent exits: with 0 when
 * fs_daemon_ready() has been called, with 32 when the child has ended before that.
 *
 * Returns in the child only: 0 and in *ret_ready_fd what fs_daemon_ready() wants, or a negative
 * errno, in the process that was called.
 */
int fs_daemon_fork(int *ret_ready_fd);

/* Let go of the terminal: the standard streams lead nowhere from now on. */
void fs_daemon_close_streams(void);

/*
 * Tell that the tree answers: the waiting parent, by the descriptor, and the service manager, if
 * one has said where (NOTIFY_SOCKET, as sd_notify(3) describes).
 *
 *   ready_fd  closed; -1 where no parent waits
 */
void fs_daemon_ready(int ready_fd);
