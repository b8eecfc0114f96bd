/*
 * disks/NAME/raw: the content of a disk, flat, to be read and written.
 */
#pragma once

#include "tree/handle.h"
#include "tree/node.h"

extern const struct fs_row_ops fs_raw_ops;

/* Find the disk's size, and time and space of its image. Returns as fs_disk_stat(), or -ENOMEM. */
int fs_raw_look(struct fs *fs, const struct fs_node *node, struct fs_look *ret);

/*
 * Open the disk of a handle as its access says, for a caller that may read its parents too.
 *
 * Returns 0, or a negative errno with a line in errors.
 */
int fs_raw_open(struct fs_handle *handle);

/* Close the disk of a handle. */
void fs_raw_close(struct fs_handle *handle);

/* Reply to a read of a range inside the disk. */
void fs_raw_read(struct fs_handle *handle, fuse_req_t req, size_t size, off_t off);
