/* SPDX-License-Identifier: MIT */
/*
 * The disk that a new one is made of: its parent, or the one that it copies.
 */
#pragma once

#include "disk/disk.h"
#include "task/task.h"

/* What a source is for, and the words for it. */
struct vhd_source_role {
    enum vhd_result missing; /* the outcome when there is no such disk */
    const char *purpose;     /* "to be the parent" */
    const char *noun;        /* "parent" */
};

/*
 * Open a disk of a store for reading. No program that honours claims writes to it until it is
 * closed. A close of a writer that is under way is waited for, a second at most.
 *
 *   catalogue  of the store
 *   task       a cancel of it ends the wait; NULL for none
 *
 * Returns VHD_OK and a disk, or with a sentence in *ret:
 *   role->missing  there is no such disk
 *   VHD_CANCELLED  the task was cancelled meanwhile
 *   VHD_IN_USE     it is open for writing, or another program holds a lock or a lease on it
 *   another        as vhd_disk_open()
 */
enum vhd_result vhd_source_open(struct vhd_catalogue *catalogue, const char *name,
                                const struct vhd_source_role *role, struct vhd_task *task,
                                struct vhd_disk **ret_disk, struct vhd_verdict *ret);

/*
 * The permissions that all files of a disk give, its parents' too. A copy of its content gives no
 * more.
 *
 *   gid  of the copy: what a file gives to another group does not count
 *
 * Returns 0, or the negative errno of fstat(2).
 */
int vhd_source_mode(const struct vhd_disk *disk, gid_t gid, mode_t *ret);
