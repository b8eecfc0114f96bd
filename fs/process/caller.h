/*
 * What can be told of the process that waits for an answer, from /proc.
 */
#pragma once

#include <sys/types.h>

enum fs_caller {
    FS_CALLER_STOPPED, /* a signal that means stop is pending for it, or it is gone */
    FS_CALLER_WAITS,
    FS_CALLER_UNKNOWN, /* /proc cannot be read */
};

/*
 * Look at the signals pending for a thread: HUP, INT, QUIT, TERM and KILL mean stop.
 *
 *   tid  as the kernel names the caller of a request; 0 where it cannot be known
 */
enum fs_caller fs_caller_look(pid_t tid);

/* The process that a thread belongs to; tid itself where that cannot be told. */
pid_t fs_caller_process(pid_t tid);
