/*
 * The file system that a store lies on.
 */
#pragma once

#include "result/result.h"

/*
 * Judge whether locks on the file system of a store hold for every host that may use it.
 *
 *   fd, path  the directory, and how to name it in a sentence
 *
 * Returns VHD_OK, or VHD_ACCESS_DENIED for sshfs and rclone, which keep locks on one host.
 */
enum vhd_result vhd_store_judge_volume(int fd, const char *path, struct vhd_verdict *ret);

/*
 * How the length of a growing file becomes durable, which decides what is promised of the footer
 * that moves with it.
 *
 * Source: durability, "The host, as assumed": measured by cutting file systems off.
 */
enum vhd_growth {
    VHD_GROWTH_ANY,  /* the length may be durable before what stands at the new end */
    VHD_GROWTH_EXT4, /* a footer appended by O_DIRECT is durable before the length is */
    VHD_GROWTH_XFS,  /* the same; buffered, the length follows the last page written back */
};

/* Tell how files of the file system that fd is on grow. */
enum vhd_growth vhd_volume_growth(int fd);
