/*
 * What the daemon has to say: to stderr in the foreground and until the tree answers, else to
 * syslog.
 */
#pragma once

#include <syslog.h>

/* Begin, on stderr; libfuse's own messages go the same way. */
void fs_log_open(void);

/* From now on say it to syslog. */
void fs_log_to_syslog(void);

/* Say something. The priority is syslog's: LOG_ERR, LOG_INFO, ... */
void fs_log(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));
