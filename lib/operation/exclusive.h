/*
 * Idle disks: what is to be deleted or renamed must not be in use, here or in another program, and
 * no other disk may be based on it.
 */
#pragma once

#include "image/info.h"

/*
 * Take a disk that is idle, so that nobody opens it as long as it is held. A close that has just
 * been made is waited for, a tenth of a second at most.
 *
 *   ret_info  receives what vhd_info_look() finds
 *   ret_fd    receives what holds it; to be closed
 *
 * Returns VHD_OK, or with a sentence in *ret:
 *   VHD_PATH_NOT_FOUND  there is no such disk
 *   VHD_ACCESS_DENIED, VHD_UNEXPECTED  its image cannot be opened to tell whether it has children
 *   VHD_IN_USE          it is open, or other disks of the store are based on it
 */
enum vhd_result vhd_disk_lock_exclusive(const struct vhd_store *store,
                                        struct vhd_children *children, const char *name,
                                        struct vhd_info *ret_info, int *ret_fd,
                                        struct vhd_verdict *ret);
