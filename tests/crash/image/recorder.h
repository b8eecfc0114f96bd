/*
 * The recorder: the library's calls that change or sync a file are led through here by the linker
 * (--wrap). Those that concern the one file that is watched, through whatever descriptor, are
 * carried out on it and added to a log; and a test can hold them up or have them fail.
 *
 * What the library asks of the host that decides how it writes, the file system's type and
 * O_DIRECT, is answered here too, so that every class of host can be had on any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "log.h"

/*
 * The classes of hosts, by what happens to a file's length when power is lost.
 * Source: durability, "The host, as assumed".
 */
enum host_class {
    HOST_A, /* the length may be durable before what stands at the new end */
    HOST_D, /* a direct write at the end: both durable, or neither */
    HOST_X, /* the length follows the highest page written back */
    HOST_COUNT
};

extern const char *const host_names[HOST_COUNT];

/* What a call of the library is about to do. */
enum call {
    CALL_WRITE,
    CALL_LENGTH,
    CALL_ZERO,
    CALL_SYNC,
    CALL_SYNC_END, /* the barrier has been reached; what comes now it does not cover */
};

/*
 * Called before each recorded call, in its thread, with no lock held.
 *
 * Returns 0 to go on, a positive errno to have the call fail with, or RECORDER_HALF.
 */
typedef int recorder_hook(void *arg, enum call call);

/* Have a write of several sectors be carried out half, as a host does that has no more room. */
#define RECORDER_HALF (-1)

/* Be a host of that class, from the next vhd_disk_open() on. */
void recorder_be_host(enum host_class host);

/*
 * Watch a file: its calls go to the log until recorder_stop(). Only one is watched at a time.
 *
 *   path  a file whose content is log->live
 *   hook  may be NULL
 */
void recorder_watch(struct log *log, const char *path, recorder_hook *hook, void *hook_arg);

/* Be a host that neither fails nor holds anything up from now on. */
void recorder_hook_off(void);

/*
 * Watch no file any more. A file that differs from what the log says it holds ends the test: then
 * the library has means of writing that are not led through here.
 */
void recorder_stop(const char *path);

/* Add to the log what is asked of the disk, as log.h has it; any thread. */
uint32_t recorder_op_begin(enum op op, uint32_t first, struct content after);
void recorder_op_end(uint32_t begin, int result);
