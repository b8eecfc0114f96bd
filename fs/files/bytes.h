/* SPDX-License-Identifier: MIT */
/*
 * Files with the bytes of a disk, raw and fixed.vhd: what both do alike.
 */
#pragma once

#include "tree/handle.h"
#include "tree/node.h"

/* The disk of a handle, NULL when memory is short; and the names by which open_disk.h knows it. */
struct fs_disk *fs_bytes_disk(const struct fs_handle *handle);
struct fs_disk_ref fs_bytes_ref(const struct fs_node *node);

/* Find the disk's size, and time and space of its image. Returns as fs_disk_stat(), or -ENOMEM. */
int fs_bytes_attributes(struct fs *fs, const struct fs_node *node, struct fs_attributes *ret);

/*
 * Is the disk of a node still there?
 *
 *   name  for the sentence
 *
 * Returns VHD_OK, or VHD_PATH_NOT_FOUND with a sentence when it was deleted.
 */
enum vhd_result fs_bytes_judge_there(struct fs *fs, const struct fs_node *node, const char *name,
                                     struct vhd_verdict *ret_why);

/*
 * May a caller read every parent of an open disk?
 *
 *   req   the caller's
 *   name  for the sentence
 *
 * Returns VHD_OK, VHD_ACCESS_DENIED with a sentence, or vhd_result_of_errno() of fstat(2).
 */
enum vhd_result fs_bytes_judge_parents(struct fs *fs, fuse_req_t req, const struct vhd_disk *disk,
                                       const char *name, struct vhd_verdict *ret_why);

/*
 * Open the disk of a handle as its access says, for a caller that may read its parents too.
 *
 * Returns 0, or a negative errno with a line in errors.
 */
int fs_bytes_open(struct fs_handle *handle);

/* Close the disk of a handle. */
void fs_bytes_close(struct fs_handle *handle);

/* Reply to a read of a range inside the disk. */
void fs_bytes_read(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off);
