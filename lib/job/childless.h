/*
 * What must not be done to a disk that others are based on.
 */
#pragma once

#include "disk/info.h"

/*
 * Look at a disk that is to be deleted or renamed, and judge that it has no children.
 *
 *   ret_info  receives what vhd_info_look() finds
 *
 * Returns VHD_OK, or with a sentence in *ret:
 *   VHD_PATH_NOT_FOUND  there is no such disk
 *   VHD_ACCESS_DENIED, VHD_UNEXPECTED  its image cannot be opened to tell whether it has children
 *   VHD_IN_USE          other disks of the store are based on it
 */
enum vhd_result vhd_judge_childless(const struct vhd_store *store, struct vhd_children *children,
                                    const char *name, struct vhd_info *ret_info,
                                    struct vhd_verdict *ret);
