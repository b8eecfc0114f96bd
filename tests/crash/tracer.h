/*
 * The tracer runs a function in a child process and stops it at each system call of each of its
 * threads, before the call and after it, so that a test can look or cut there. It knows nothing
 * of disks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What the meson test harness takes for "skipped" and for "the test itself is broken". */
enum { EXIT_SKIPPED = 77, EXIT_BROKEN = 99 };

/* One stop. */
struct tracer_stop {
    pid_t pid;        /* of the child */
    bool is_entry;    /* before the call; else after it */
    uint64_t call;    /* SYS_... */
    uint64_t args[6]; /* the call's arguments, after it too */
    int64_t result;   /* what it gave, negative errno; 0 before it */
};

/* Called at a stop; the stopped thread waits for it. Returns false to cut: to kill the child. */
typedef bool tracer_visit(void *arg, const struct tracer_stop *stop);

/*
 * Run child(child_arg) in a process of its own and visit each of its stops.
 *
 * Returns true when it ended by itself, and well; false when it was cut. It is gone then, with all
 * its threads and descriptors. A child that ends in another way, and whatever else goes wrong,
 * ends the test; a host that forbids tracing skips it.
 */
bool tracer_run(int (*child)(void *arg), void *child_arg, tracer_visit *visit, void *visit_arg);
