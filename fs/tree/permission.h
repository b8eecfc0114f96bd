/* SPDX-License-Identifier: MIT */
/*
 * Permissions: of the daemon to change the store, and of a caller to read files that the daemon
 * opens for it.
 */
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "tree/fs.h"

/* Is the caller root, or the user that the daemon runs as? They may read and write every file. */
bool fs_may_all(fuse_req_t req);

/*
 * May the caller read a file of the store, by its owner, group and mode? The options uid=, gid= and
 * umask= replace these, as they do in the tree. The caller's supplementary groups count.
 */
bool fs_may_read(const struct fs *fs, fuse_req_t req, const struct stat *file);

/* The same for a write to the file. */
bool fs_may_write(const struct fs *fs, fuse_req_t req, const struct stat *file);

/*
 * May anything in the store be changed?
 *
 * Returns VHD_OK, VHD_READ_ONLY, or VHD_ACCESS_FAILED as vhd_store_judge_lock(), with a sentence.
 */
enum vhd_result fs_judge_change(const struct fs *fs, struct vhd_verdict *ret);
