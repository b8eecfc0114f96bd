/* SPDX-License-Identifier: MIT */
/*
 * The mount: the state that all its parts share. One exists for the daemon's life. Its pointers do
 * not change once it serves.
 *
 * Lock order, outermost first: the session's, exit_sync's, a handle's or an open folder's, the
 * entries', an open disk's, then those of lib: the service's and a task's. Deferred replies take a
 * task's alone; all other locks are leaves. None is held across a reply to the kernel.
 * fs/README.md, "Locks", says which lock is taken inside which.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "image/catalogue.h"
#include "operation/formatter.h"
#include "process/confine.h"
#include "process/daemon.h"
#include "tree/numbers.h"
#include "tree/opened.h"
#include "store/store.h"
#include "task/service.h"

struct fs {
    struct vhd_store *store;
    struct vhd_catalogue *catalogue;
    struct vhd_service *service;
    struct vhd_formatter formatter; /* for disks with a file system */
    struct fs_entries *entries;
    struct fs_errors *errors;
    struct fs_events *events;
    struct fs_deferred *deferred;
    struct fs_invalidator *invalidator;
    struct fs_opened_list opened;
    struct fs_numbers numbers;
    _Atomic uint64_t generation; /* the last one given to a node (ino.h) */
    struct fs_daemon daemon;
    char confined_by[FS_CONFINE_TEXT]; /* of fs_confine() */

    /* owner, mode and times of files */
    uid_t uid;
    gid_t gid;
    mode_t umask;
    bool has_uid, has_gid, has_umask; /* given: they count for disks too, and not their images' */
    bool is_read_only;
    struct timespec started; /* of the mount; the time of files that never change */
};
