/* SPDX-License-Identifier: MIT */
/*
 * The changes of all tasks, as a text that grows: a line for each, TIME ID NAME STATE PERCENT.
 *
 * The last mebibyte is kept. Offsets go on counting, so a reader that follows the end misses
 * nothing.
 */
#pragma once

#include <sys/types.h>

#include "task/task.h"

struct fs_events;

/* Make an empty text. Returns NULL when memory is short. */
struct fs_events *fs_events_new(void);

/* Release it; NULL is allowed. */
void fs_events_free(struct fs_events *events);

/*
 * Add the present state of a task, unless the last line of the task says the same. Of the percent
 * alone it adds five lines a second at most. For vhd_service_listen(): arg is the text.
 */
void fs_events_note(void *arg, struct vhd_task *task);

/* The length of the text, dropped lines included, and the time of the last change; zero for none.
 */
off_t fs_events_size(struct fs_events *events, struct timespec *ret_changed);

/*
 * Read from an offset on.
 *
 *   off  an offset of a line that is no longer kept becomes that of the first whole line kept
 *
 * Returns the bytes read, 0 at the end.
 */
size_t fs_events_read(struct fs_events *events, char *buf, size_t size, off_t *off);
