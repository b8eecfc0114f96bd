/* SPDX-License-Identifier: MIT */
/*
 * The caller of a request, as /proc shows it.
 */
#pragma once

#include <sys/types.h>

enum fs_caller {
    FS_CALLER_STOPPED, /* a signal that means stop is pending for it, or it is gone */
    FS_CALLER_WAITS,
    FS_CALLER_UNKNOWN, /* /proc cannot be read */
};

/*
 * Check the signals that are pending for a thread: HUP, INT, QUIT, TERM and KILL mean stop.
 *
 *   tid  the caller's thread, as its request names it; 0 where that is unknown
 */
enum fs_caller fs_caller_check(pid_t tid);

/* The process of a thread; tid itself where /proc does not show it. */
pid_t fs_caller_process(pid_t tid);
