/*
 * What the daemon has to say: to stderr in the foreground, else to syslog.
 */
#pragma once

#include <stdbool.h>
#include <syslog.h>

/* Begin; libfuse's own messages go the same way. */
void fs_log_open(bool to_stderr);

/* Say something. The priority is syslog's: LOG_ERR, LOG_INFO, ... */
void fs_log(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));
