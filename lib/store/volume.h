/* SPDX-License-Identifier: MIT */
/*
 * The file system of a store.
 */
#pragma once

#include "result/result.h"

/*
 * Judge whether locks on the file system of a store hold for all hosts that may use it.
 *
 *   fd, path  the directory, and its name in a sentence
 *
 * Returns VHD_OK, or VHD_ACCESS_DENIED for sshfs and rclone, whose locks hold on one host only.
 */
enum vhd_result vhd_store_judge_volume(int fd, const char *path, struct vhd_verdict *ret);

/*
 * The ways in which the length of a growing file becomes durable. They decide the order of writes:
 * see lib/disk/README.md, "Hosts".
 */
enum vhd_growth {
    VHD_GROWTH_ANY,  /* the length may be durable before the bytes at the new end */
    VHD_GROWTH_EXT4, /* a footer appended by O_DIRECT is durable no later than the length */
    VHD_GROWTH_XFS,  /* the same; else the length follows the highest page written */
};

/* Tell the way in which files on the file system of fd grow. */
enum vhd_growth vhd_volume_growth(int fd);
