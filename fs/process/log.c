/* SPDX-License-Identifier: MIT */
#include "process/log.h"

#define FUSE_USE_VERSION 314
#include <fuse_log.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static _Atomic bool is_to_syslog;

static bool to_syslog(void)
{
    return is_to_syslog;
}

static void vlog(int priority, const char *format, va_list args)
{
    if (to_syslog())
        vsyslog(priority, format, args);
    else
        vfprintf(stderr, format, args);
}

/* libfuse's levels are those of syslog, and its messages have a newline. */
static void fuse_message(enum fuse_log_level level, const char *format, va_list args)
{
    vlog((int)level, format, args);
}

void fs_log_open(void)
{
    fuse_set_log_func(fuse_message);
}

void fs_log_to_syslog(void)
{
    openlog("vhdfs", LOG_PID, LOG_DAEMON);
    is_to_syslog = true;
}

void fs_log(int priority, const char *format, ...)
{
    va_list args;
    bool is_line = !to_syslog();

    if (is_line)
        fputs("vhdfs: ", stderr);
    va_start(args, format);
    vlog(priority, format, args);
    va_end(args);
    if (is_line)
        putc('\n', stderr);
}
