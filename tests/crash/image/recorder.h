/* SPDX-License-Identifier: MIT */
/*
 * The recorder: the linker leads all calls of the library that change or sync a file through here
 * (--wrap). Calls on the one watched file, by any descriptor, are carried out and logged. A test
 * can delay them or make them fail.
 *
 * The recorder also answers the questions that decide how the library writes: the type of the file
 * system, and O_DIRECT. So every class of host can be played on any host.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "log.h"

/*
 * The classes of hosts, by the file's length after a loss of power: see lib/disk/README.md,
 * "Hosts", and tests/README.md.
 */
enum host_class {
    HOST_A, /* the length may be durable before the bytes at the new end */
    HOST_D, /* after a direct write at the end both are durable, or neither */
    HOST_X, /* the length follows the highest page written back */
    HOST_COUNT
};

extern const char *const host_names[HOST_COUNT];

/* A call that the library is about to make. */
enum call {
    CALL_WRITE,
    CALL_LENGTH,
    CALL_ZERO,
    CALL_SYNC,
    CALL_SYNC_END, /* inside a barrier, which does not cover writes from now on */
};

/*
 * A hook that runs before each recorded call, in its thread, without any lock held.
 *
 * Returns 0 to go on, a positive errno that the call fails with, or RECORDER_HALF.
 */
typedef int recorder_hook(void *arg, enum call call);

/* Carry out half of a write of several sectors, as a full host does. */
#define RECORDER_HALF (-1)

/* Play a host of this class, from the next vhd_disk_open() on. */
void recorder_be_host(enum host_class host);

/*
 * Watch a file: its calls go to the log until recorder_stop(). Only one file is watched at a time.
 *
 *   path  a file with the content log->live
 *   hook  may be NULL
 */
void recorder_watch(struct log *log, const char *path, recorder_hook *hook, void *hook_arg);

/* Remove the hook: the host neither fails nor delays calls from now on. */
void recorder_hook_off(void);

/*
 * Stop watching. If the file differs from the log, the library writes by calls that bypass the
 * recorder, and the test ends.
 */
void recorder_stop(const char *path);

/* Add a request to the log, as in log.h; any thread. */
uint32_t recorder_op_begin(enum op op, uint32_t first, struct content after);
void recorder_op_end(uint32_t begin, int result);
