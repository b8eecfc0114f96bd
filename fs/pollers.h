/*
 * Pollers: open files that poll(2) waits on. As in sysfs, a file is always readable, and it is
 * POLLPRI and POLLERR from a change of what it shows until it is read from its start again.
 *
 * The kernel is told of a change by a thread of ours, never from inside an operation, and for one
 * file at most five times a second, but for the end of its task, which is told at once.
 */
#pragma once

#include "node.h"

struct fs_pollers;
struct fs_handle;

/*
 * Start the pollers and their thread.
 *
 * Returns 0, -ENOMEM, or the negative errno of pthread_create(3).
 */
int fs_pollers_new(struct fs_pollers **ret);

/* Stop the thread. */
void fs_pollers_free(struct fs_pollers *pollers);

/* A task has changed; the argument is the pollers. Costs next to nothing while nobody polls. */
void fs_pollers_task_changed(void *arg);

/*
 * Answer a poll of a file whose text is that of a task.
 *
 *   ph  where the kernel is to be told of the next change, taken over; NULL when it need not be
 */
void fs_pollers_poll(struct fs_pollers *pollers, struct fs_handle *handle, fuse_req_t req,
                     struct fuse_pollhandle *ph);
