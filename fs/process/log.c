/* SPDX-License-Identifier: MIT */
#include "process/log.h"

#define FUSE_USE_VERSION 314
#include <errno.h>
#include <fuse_log.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

/* The socket to fs_log_forward(), or -1 to log on stderr. */
static _Atomic int syslog_fd = -1;

/* A line for syslog: its priority, and a text that ends with a 0. */
struct line {
    char priority;
    char text[1023];
};

static void send_line(int fd, int priority, const char *format, va_list args)
{
    struct line line = {.priority = (char)priority};

    const int len = vsnprintf(line.text, sizeof line.text, format, args);
    if (len < 0)
        return;
    const size_t size = (size_t)len < sizeof line.text ? 2 + (size_t)len : sizeof line;
    send(fd, &line, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void second_is_over(int signal)
{
    (void)signal;
}

/*
 * A logger that reads nothing would block us for good. The C library tries twice, and a signal of
 * the timer ends each try after a second.
 */
static void syslog_in_time(int priority, const char *text)
{
    const struct sigaction action = {.sa_handler = second_is_over};
    const struct itimerval seconds = {{1, 0}, {1, 0}}, never = {{0, 0}, {0, 0}};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &seconds, NULL);
    syslog(priority, "%s", text);
    setitimer(ITIMER_REAL, &never, NULL);
}

int fs_log_forward(int fd, int daemon)
{
    struct line line;
    static char ident[32]; /* the C library keeps a pointer to it */
    ssize_t len;

    do
        len = recv(fd, &line, sizeof line - 1, 0);
    while (len < 0 && errno == EINTR);
    if (len < 2)
        return 0;
    ((char *)&line)[len] = 0;
    snprintf(ident, sizeof ident, "vhdfs[%d]", daemon);
    openlog(ident, 0, LOG_DAEMON);
    syslog_in_time(line.priority & LOG_PRIMASK, line.text);
    return 1;
}

static void vlog(int priority, const char *format, va_list args)
{
    const int fd = syslog_fd;

    if (fd >= 0)
        send_line(fd, priority, format, args);
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

void fs_log_to_syslog(int fd)
{
    syslog_fd = fd;
}

void fs_log(int priority, const char *format, ...)
{
    va_list args;
    const bool is_line = syslog_fd < 0;

    if (is_line)
        fputs("vhdfs: ", stderr);
    va_start(args, format);
    vlog(priority, format, args);
    va_end(args);
    if (is_line)
        putc('\n', stderr);
}
