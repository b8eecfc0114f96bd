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
