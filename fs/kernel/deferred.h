/* SPDX-License-Identifier: MIT */
/*
 * Deferred replies: requests of the kernel that get a reply when a task ends, while no thread
 * waits for it. A request for long work gets it when the work is accepted. The reply comes from the
 * worker that ends or accepts the task, or from a thread of this file when the caller is
 * interrupted.
 *
 * Every signal that wakes the calling process interrupts its request: not only Ctrl-C, but also the
 * end of a background job (SIGCHLD). A request that only waits then gets EINTR, which is right for
 * any signal. A write to new/NAME is work. It is given up only if a signal that means stop is
 * pending for the caller, or the caller is gone. It then gets ECANCELED and never EINTR, because
 * shells would write again.
 */
#pragma once

#include "tree/node.h"

struct fs_deferred;
struct fs_handle;

/* A kind of deferred reply. */
struct fs_deferred_ops {
    bool is_work; /* the task's own request: a caller who is stopped cancels it. Else it waits */

    /*
     * Reply to the request. Called once, without a lock held.
     *
     *   status  of the task, which has ended; or was accepted (is_work), and the verdict is
     *           VHD_PENDING; or may still run, and the verdict is VHD_CANCELLED (is_work) or
     *           VHD_OUT_OF_MEMORY
     */
    void (*answer)(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off,
                   const struct vhd_task_status *status);
};

/*
 * Start the thread for interrupted callers.
 *
 * Returns 0, -ENOMEM, or the negative errno of pthread_create(3).
 */
int fs_deferred_new(struct fs_deferred **ret);

/*
 * Stop the thread, wait for its end, and free all; NULL is allowed. All tasks must have ended
 * before, because the end of a task gives the replies that wait for it.
 */
void fs_deferred_free(struct fs_deferred *deferred);

/*
 * Defer the reply to a request until a task ends, or its long work is accepted. If that has
 * happened, the reply is given at once.
 *
 *   handle     its file; referenced until the reply
 *   size, off  for answer()
 *   task       referenced
 */
void fs_defer(struct fs_deferred *deferred, const struct fs_deferred_ops *ops,
              struct fs_handle *handle, fuse_req_t req, size_t size, off_t off,
              struct vhd_task *task);

/*
 * Defer the reply to a request that waits until a task has changed or ended. A change is noticed
 * four times a second.
 *
 *   seen  the time of the last change that the caller knows; zero for none
 */
void fs_defer_change(struct fs_deferred *deferred, const struct fs_deferred_ops *ops,
                     struct fs_handle *handle, fuse_req_t req, size_t size, off_t off,
                     struct vhd_task *task, struct timespec seen);
