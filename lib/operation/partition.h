/* SPDX-License-Identifier: MIT */
/*
 * The content of a new disk with a file system: a master boot record, and one FAT partition that
 * fills the disk. A formatter makes it in a scratch file of the store, which then is the source of
 * a copy.
 */
#pragma once

#include "disk/disk.h"
#include "operation/formatter.h"
#include "task/task.h"

/*
 * Judge whether the host can make a file system.
 *
 *   taken  bytes that the new disk takes at once
 *
 * Returns VHD_OK, or with a sentence in *ret, the first that applies:
 *   VHD_NO_FORMATTER  mkfs.fat is missing
 *   VHD_DISK_FULL     the file system's tables do not fit the free space for a moment
 *   another           vhd_result_of_errno() of statvfs(2)
 */
enum vhd_result vhd_partition_admit(const struct vhd_store *store, const struct vhd_fat *fat,
                                    uint64_t taken, struct vhd_verdict *ret);

/*
 * Make the content of a disk.
 *
 *   catalogue  of the store of the disk
 *   is_named   as vhd_draft_begin(), for the scratch file
 *   percent    the task's progress at the end
 *   task       gets the progress; a cancel of it ends the call within a second. NULL for none
 *   ret        receives the content as a disk, open for reading; the caller closes it. All that the
 *              new disk has beyond its end is zeros
 *
 * Returns VHD_OK, or with a sentence in *ret_why:
 *   VHD_NO_FORMATTER  mkfs.fat is missing
 *   VHD_CANCELLED
 *   VHD_DISK_FULL     the host filled up
 *   another           vhd_result_of_errno() of what the formatter returned, or of a failed call
 */
enum vhd_result vhd_partition_make(struct vhd_catalogue *catalogue,
                                   const struct vhd_formatter *formatter, bool is_named,
                                   const struct vhd_fat *fat, unsigned percent,
                                   struct vhd_task *task, struct vhd_disk **ret,
                                   struct vhd_verdict *ret_why);
