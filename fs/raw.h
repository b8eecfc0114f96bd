/*
 * disks/NAME/raw: the content of a disk, flat. And what fixed.vhd shows of it shares.
 */
#pragma once

#include "content.h"
#include "node.h"

extern const struct fs_row_ops fs_raw_ops;

/* Look at the content of a node's disk. Returns 0, -ENOENT when it is gone, or a negative errno. */
int fs_raw_look(struct fs *fs, const struct fs_node *node, struct fs_look *ret);

/*
 * Have the disk of a handle open, in handle->disk.
 *
 * Returns 0, or a negative errno; a refusal has been noted.
 */
int fs_raw_open(struct fs_handle *handle, enum fs_content_use use, struct fs_content_opened *ret);
void fs_raw_close(struct fs_handle *handle, enum fs_content_use use);

/* Answer a read of a range that lies in the disk. */
void fs_raw_read(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off);
