/* SPDX-License-Identifier: MIT */
/*
 * Exclusive use of a disk: a deletion, a rename and most verbs need it idle, here and in other
 * programs, and without children. Each call waits for a close that is under way.
 */
#pragma once

#include "disk/disk.h"
#include "image/catalogue.h"
#include "image/info.h"
#include "store/claim.h"
#include "task/task.h"

/*
 * The longest wait for a close that is under way, in ms. close(2) returns before the daemon that
 * serves the file is notified, so a disk may seem open shortly after its last close. A request of a
 * folder delays all other requests of the folder; a task delays only itself.
 */
enum vhd_patience { VHD_PATIENCE_FOLDER = 100, VHD_PATIENCE_TASK = 1000 };

/*
 * Lock an idle disk, so that no program opens it until the lock ends.
 *
 *   patience  for a close that is under way
 *   ret_info  receives the result of vhd_info_read()
 *   ret_fd    receives the descriptor that holds the lock; the caller closes it
 *
 * Returns VHD_OK, or with a sentence in *ret:
 *   VHD_PATH_NOT_FOUND  there is no such disk
 *   VHD_IN_USE          it is open, has children, or another program holds a lease on its image
 *   another             vhd_result_of_errno() of the host's answer, VHD_ACCESS_DENIED if the image,
 *                       which is read to find its children, cannot be opened
 */
enum vhd_result vhd_disk_lock_exclusive(struct vhd_catalogue *catalogue, const char *name,
                                        enum vhd_patience patience, struct vhd_info *ret_info,
                                        int *ret_fd, struct vhd_verdict *ret);

/*
 * Open a disk as vhd_disk_open() does, and wait for a close that is under way, up to
 * VHD_PATIENCE_TASK. Few calls wait at a time, because each holds a thread; more are refused at
 * once.
 *
 *   task  a cancel of it ends the wait; NULL for none
 *
 * Returns VHD_CANCELLED after a cancel, or else as vhd_disk_open().
 */
enum vhd_result vhd_disk_open_patiently(struct vhd_catalogue *catalogue, const char *name,
                                        unsigned flags, struct vhd_task *task,
                                        struct vhd_disk **ret_disk, struct vhd_verdict *ret);

/*
 * Open an idle disk for writing, without a flusher, so that no program opens it until it is closed.
 * A crash's leftovers are repaired, as at any opening for writing. The call waits up to a second
 * for a close that is under way.
 *
 * Returns as vhd_disk_lock_exclusive(), or else as vhd_disk_open().
 */
enum vhd_result vhd_disk_open_exclusive(struct vhd_catalogue *catalogue, const char *name,
                                        struct vhd_disk **ret_disk, struct vhd_verdict *ret);

/*
 * Claim the image of a disk, which may be damaged and may have children. The call waits up to a
 * second for a close that is under way.
 *
 *   claim     VHD_CLAIM_READ excludes those that write, VHD_CLAIM_WRITE all others
 *   ret_file  receives the image's file name
 *   ret_fd    receives the descriptor that holds the claim, open for reading; the caller closes it
 *
 * Returns VHD_OK, or with a sentence in *ret:
 *   VHD_PATH_NOT_FOUND  there is no such disk
 *   VHD_IN_USE          another use excludes the claim, or another program holds a lease
 *   another             vhd_result_of_errno() of the host's answer
 */
enum vhd_result vhd_disk_claim_any(const struct vhd_store *store, const char *name,
                                   enum vhd_claim claim, char ret_file[NAME_MAX + 1], int *ret_fd,
                                   struct vhd_verdict *ret);

/* Refuse a file that another program holds a lease on. Returns VHD_IN_USE. */
enum vhd_result vhd_disk_refuse_lease(const char *file, struct vhd_verdict *ret);
