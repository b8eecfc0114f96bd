/*
 * The mount: what every part of it shares. One exists for the daemon's life; its pointers do not
 * change once it serves.
 *
 * Lock order, outermost first: a handle's, exit_sync's, the table of entries', a disk's, the
 * library's (service, task). The index of children has a lock of its own inside a handle's, held
 * while the store is read. The errors', the numbers', the invalidator's, the server's and the
 * opened files' locks are leaves, and so is that of deferred replies but for a task's. None is held
 * across a reply to the kernel.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "image/children.h"
#include "tree/numbers.h"
#include "tree/opened.h"
#include "store/store.h"
#include "task/service.h"

struct fs {
    struct vhd_store *store;
    struct vhd_children *children;
    struct vhd_service *service;
    struct fs_entries *entries;
    struct fs_errors *errors;
    struct fs_deferred *deferred;
    struct fs_invalidator *invalidator;
    struct fs_opened_list opened;
    struct fs_numbers numbers;
    uint64_t generation; /* atomic; of the nodes that are new at each look (ino.h) */
    int ready_fd;        /* where to tell that the tree answers; -1 where nobody waits for it */

    /* what files look like */
    uid_t uid;
    gid_t gid;
    mode_t umask;
    bool has_uid, has_gid, has_umask; /* for disks, too, instead of what their images have */
    bool is_read_only;
    struct timespec started; /* of the mount; the time of what never changes */
};
