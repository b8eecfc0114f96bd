/* SPDX-License-Identifier: MIT */
/*
 * The tracer runs a function in a child process. It stops each thread before and after each system
 * call, so that a test can look or cut there. It knows nothing of disks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Exit statuses of the meson test harness for "skipped" and for "the test itself is broken". */
enum { EXIT_SKIPPED = 77, EXIT_BROKEN = 99 };

/* One stop. */
struct tracer_stop {
    pid_t pid;        /* of the child */
    bool is_entry;    /* before the call; else after it */
    uint64_t call;    /* SYS_... */
    uint64_t args[6]; /* the call's arguments, after it too */
    int64_t result;   /* negative errno on failure; 0 before the call */
};

/* Called at a stop, while the stopped thread waits. Returns false to cut, which kills the child. */
typedef bool tracer_visit(void *arg, const struct tracer_stop *stop);

/*
 * Run child(child_arg) in a process of its own and visit each of its stops.
 *
 * Returns true when the child ended by itself with status 0, false when it was cut. The child is
 * then gone, with all its threads and descriptors. Any other end or failure ends the test; a host
 * that forbids tracing skips it.
 */
bool tracer_run(int (*child)(void *arg), void *child_arg, tracer_visit *visit, void *visit_arg);
