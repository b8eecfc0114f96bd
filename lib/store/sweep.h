/* SPDX-License-Identifier: MIT */
/*
 * The sweep: the owner of a store removes the remains of a crash when it opens the store.
 */
#pragma once

#include "result/result.h"

/* The prefix of a draft's file name, on file systems that need one. */
#define VHD_DRAFT_PREFIX ".vhdfs-draft-"

/*
 * Remove every draft that no process has locked.
 *
 *   fd, path  the directory, and its name in a sentence
 *
 * Returns VHD_OK, or vhd_result_of_errno() of the host's answer.
 */
enum vhd_result vhd_store_sweep(int fd, const char *path, struct vhd_verdict *ret);
