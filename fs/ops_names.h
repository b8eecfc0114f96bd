/* SPDX-License-Identifier: MIT */
/*
 * The operations on names: find, list, make, remove and rename. ops.c puts these functions into
 * libfuse's table; <fuse_lowlevel.h> describes their arguments.
 */
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

/* Find a child of a folder, and count the lookup; and count off what the kernel forgets. */
void fs_op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_op_forget(fuse_req_t req, fuse_ino_t id, uint64_t count);
void fs_op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);

/* Open, list and close a folder. */
void fs_op_opendir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info);
void fs_op_readdir(fuse_req_t req, fuse_ino_t id, size_t size, off_t off,
                   struct fuse_file_info *info);
void fs_op_releasedir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info);

/* Sync a folder: its names are durable before each reply, so this does nothing. */
void fs_op_fsyncdir(fuse_req_t req, fuse_ino_t id, int datasync, struct fuse_file_info *info);

/* Make a file and open it. Only new/ permits this. */
void fs_op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                  struct fuse_file_info *info);

/* Remove a file; remove a folder, with which a disk is deleted or a task forgotten. */
void fs_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);

/* Rename a disk. A rename never replaces one, so RENAME_NOREPLACE of GNU mv changes nothing. */
void fs_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
                  const char *new_name, unsigned flags);

/*
 * The tree holds no such files. Each refusal says what to do instead; without these functions the
 * caller would get ENOSYS.
 */
void fs_op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);
void fs_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void fs_op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void fs_op_link(fuse_req_t req, fuse_ino_t id, fuse_ino_t parent, const char *name);
