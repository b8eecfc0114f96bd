/* SPDX-License-Identifier: MIT */
/*
 * The helper's worker: it does what the daemon has no rights for. It takes no paths from the
 * daemon, and formats no file that the daemon could not write to.
 */
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "process/mountpoint.h"
#include "process/pidfile.h"
#include "process/user.h"

struct fs_worker {
    int socket;                 /* to the daemon: messages of helper_message.h */
    int abort_fd;               /* of fs_mount_open_abort(); -1 for none */
    struct fs_mount mount;      /* to detach; its id is -1 for none */
    struct fs_pidfile *pidfile; /* to remove at the end; NULL for none */
    const struct fs_user *user; /* whose rights mkfs.fat gets */
    dev_t device;               /* of the store */
    bool is_read_only;          /* the store does not change, so nothing is formatted */
};

/*
 * Serve the daemon until it says that it ends, or dies. After its death, end the connection and
 * detach the mount.
 *
 * Returns the exit status of the process: EXIT_FAILURE if the mount could not be detached.
 */
int fs_worker_run(const struct fs_worker *worker);

/*
 * Block SIGCHLD, which then interrupts ppoll(2) alone. Any process of the helper may call it, more
 * than once.
 *
 *   ret_during  receives the signal mask for ppoll(2)
 */
void fs_worker_catch_children(sigset_t *ret_during);
