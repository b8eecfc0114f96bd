/* SPDX-License-Identifier: MIT */
/*
 * Exclusive use of a disk: a deletion or rename needs it idle, here and in other programs, and
 * without children.
 */
#pragma once

#include "image/catalogue.h"
#include "image/info.h"

/*
 * Lock an idle disk, so that no program opens it until the lock ends. The call waits up to 0.1 s
 * for a close that is under way.
 *
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
                                        struct vhd_info *ret_info, int *ret_fd,
                                        struct vhd_verdict *ret);
