/*
 * Parking: requests of the kernel that are answered when a task ends, without a thread that waits
 * for it. Whoever ends the wait answers: the worker that ends the task, or the parking's own
 * thread when the caller is interrupted.
 *
 * Every signal that wakes a process interrupts its request, not only Ctrl-C: the end of a
 * background job (SIGCHLD) does. A request that only waits is then answered EINTR, which is right
 * for any signal. A request that works, a write to new/NAME, is given up only when a signal that
 * means stop is pending for the caller, or the caller is gone; answering EINTR would make shells
 * write the request again.
 */
#pragma once

#include "tree/node.h"

struct fs_parking;
struct fs_handle;

/* What a parked request does. */
struct fs_parked_ops {
    bool is_work; /* stop its task when the caller is stopped; else it only waits */

    /*
     * Answer it. Called once, without a lock held.
     *
     *   status  of the task; it has ended, or (is_work) it has been asked to stop and will, and
     *           the verdict says VHD_CANCELLED
     */
    void (*answer)(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off,
                   const struct vhd_task_status *status);
};

/*
 * Start the parking and its thread.
 *
 * Returns 0, -ENOMEM, or the negative errno of pthread_create(3).
 */
int fs_parking_new(struct fs_parking **ret);

/* Stop the thread. All tasks must have ended, and with them every parked request. */
void fs_parking_free(struct fs_parking *parking);

/*
 * Park a request until a task ends; one whose task has ended is answered at once.
 *
 *   handle     its file; referenced until the answer
 *   size, off  handed to the answer
 *   task       referenced
 */
void fs_park(struct fs_parking *parking, const struct fs_parked_ops *ops, struct fs_handle *handle,
             fuse_req_t req, size_t size, off_t off, struct vhd_task *task);
