#include "log.h"

#define FUSE_USE_VERSION 314
#include <fuse_log.h>
#include <stdarg.h>
#include <stdio.h>

static bool is_to_stderr = true; /* set once, before there are threads */

static void vlog(int priority, const char *format, va_list args)
{
    if (is_to_stderr)
        vfprintf(stderr, format, args);
    else
        vsyslog(priority, format, args);
}

/* libfuse's levels are syslog's, and its messages end their lines. */
static void fuse_message(enum fuse_log_level level, const char *format, va_list args)
{
    vlog((int)level, format, args);
}

void fs_log_open(bool to_stderr)
{
    is_to_stderr = to_stderr;
    if (!to_stderr)
        openlog("vhdfs", LOG_PID, LOG_DAEMON);
    fuse_set_log_func(fuse_message);
}

void fs_log(int priority, const char *format, ...)
{
    va_list args;

    if (is_to_stderr)
        fputs("vhdfs: ", stderr);
    va_start(args, format);
    vlog(priority, format, args);
    va_end(args);
    if (is_to_stderr)
        putc('\n', stderr);
}
