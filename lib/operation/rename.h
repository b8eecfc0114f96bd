/* SPDX-License-Identifier: MIT */
/*
 * Renaming a disk.
 */
#pragma once

#include "image/catalogue.h"
#include "result/result.h"

/*
 * Rename a disk, durably, never over another disk. Its metadata from before a repair (backup.h)
 * moves along.
 *
 *   name      the disk's name
 *   new_name  its new name, judged here
 *
 * Returns VHD_OK, or with a sentence in *ret, the first that applies:
 *   VHD_BUFFER_OVERFLOW, VHD_INVALID_NAME  new_name breaks a rule of request/name.h
 *   VHD_PATH_NOT_FOUND  there is no disk of the old name
 *   VHD_ALREADY_EXISTS  there is one of the new name
 *   VHD_IN_USE          it is open, leased, or has children, which record its name
 *   another             vhd_result_of_errno() of the host's answer
 */
enum vhd_result vhd_rename(struct vhd_catalogue *catalogue, const char *name, const char *new_name,
                           struct vhd_verdict *ret);
