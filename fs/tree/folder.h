/* SPDX-License-Identifier: MIT */
/*
 * An open folder. A read at offset 0 collects its listing, and later reads use that one. So files
 * that come and go meanwhile do not shift the rest.
 */
#pragma once

#include "tree/node.h"

/*
 * Add an entry to a listing, for the list() of a folder.
 *
 *   ino  its st_ino
 *
 * Returns 0 or -ENOMEM.
 */
int fs_listing_add(struct fs_listing *listing, const char *name, fuse_ino_t ino, mode_t mode);

struct fs_folder;

/*
 * Open a folder.
 *
 *   node  its reference is taken over, also when the call fails
 *
 * Returns 0 or a negative errno.
 */
int fs_folder_open(struct fs *fs, struct fs_node *node, struct fs_folder **ret);

/* Close a folder and release it. */
void fs_folder_close(struct fs_folder *folder);

/* Reply to a readdir: at most size bytes, from entry off of the listing on. */
void fs_folder_read(struct fs_folder *folder, fuse_req_t req, size_t size, off_t off);
