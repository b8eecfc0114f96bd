/* SPDX-License-Identifier: MIT */
/*
 * Messages of the daemon: to stderr in the foreground and until the tree answers, else to syslog.
 * Syslog's socket is another process's work, because the daemon may connect to none (filter.h) and
 * the system's logger may start again.
 */
#pragma once

#include <syslog.h>

/* Begin to log, on stderr; libfuse's own messages go the same way. */
void fs_log_open(void);

/*
 * Log to syslog from now on.
 *
 *   fd  a packet socket (SOCK_SEQPACKET) whose other end is with fs_log_forward(); stays open
 */
void fs_log_to_syslog(int fd);

/*
 * The other end: wait for a message and log it, as of the daemon.
 *
 *   daemon  its process id
 *
 * Returns 1, or 0 when the daemon has closed its end.
 */
int fs_log_forward(int fd, int daemon);

/*
 * Log one line, given without its end. It never blocks on the logger: a line is lost while a
 * hundred wait.
 *
 *   priority  syslog's: LOG_ERR, LOG_INFO, ...
 */
void fs_log(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));
