/* SPDX-License-Identifier: MIT */
/*
 * Deleting a disk.
 */
#pragma once

#include "image/catalogue.h"
#include "result/result.h"

/*
 * Delete a disk, durably, and its metadata from before a repair (backup.h).
 *
 *   name  the disk's name
 *
 * Returns VHD_OK, or with a sentence in *ret:
 *   VHD_PATH_NOT_FOUND  there is no such disk
 *   VHD_IN_USE          it is open, leased, or has children, which would lose their data
 *   another             vhd_result_of_errno() of the host's answer; after a failed sync the file
 *                       may
 *                       already be gone
 */
enum vhd_result vhd_delete(struct vhd_catalogue *catalogue, const char *name,
                           struct vhd_verdict *ret);
