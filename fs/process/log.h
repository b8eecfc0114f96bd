/* SPDX-License-Identifier: MIT */
/*
 * Messages of the daemon: to stderr in the foreground and until the tree answers, else to syslog.
 */
#pragma once

#include <syslog.h>

/* Begin to log, on stderr; libfuse's own messages go the same way. */
void fs_log_open(void);

/* Log to syslog from now on. */
void fs_log_to_syslog(void);

/* Log one line, given without its end. The priority is syslog's: LOG_ERR, LOG_INFO, ... */
void fs_log(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));
