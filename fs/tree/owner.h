/* SPDX-License-Identifier: MIT */
/*
 * Changes of the owner and the permissions of a disk, which are those of its image.
 */
#pragma once

#include "tree/node.h"

/*
 * Give the image of a disk the owner and the permissions that raw gets.
 *
 *   caller             the user that asks; the kernel has judged it by an owner that may be old
 *   attributes, which  of setattr: FUSE_SET_ATTR_MODE, FUSE_SET_ATTR_UID and FUSE_SET_ATTR_GID
 *                      count; of the mode, the bits to read and to write
 *
 * Returns VHD_OK, also when nothing differs, or with a sentence in *ret:
 *   VHD_NOT_PERMITTED   options of the mount decide, the caller does not own the image, or the
 *                       host lets vhdfs change nothing there
 *   VHD_PATH_NOT_FOUND  the disk is gone, or its image was replaced
 *   VHD_READ_ONLY, VHD_UNEXPECTED, ...  as the host answers
 */
enum vhd_result fs_owner_set(struct fs *fs, const struct fs_node *node, uid_t caller,
                             const struct stat *attributes, int which, struct vhd_verdict *ret);
