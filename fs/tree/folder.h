/*
 * An open folder: its listing, collected when it is first read or rewound, so that what comes and
 * goes meanwhile moves nothing that is still to be read.
 */
#pragma once

#include "tree/node.h"

/*
 * Add an entry to a listing, for the list() of a folder.
 *
 *   ino  its number, as stat(2) tells it
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

void fs_folder_close(struct fs_folder *folder);

/* Answer a readdir. */
void fs_folder_read(struct fs_folder *folder, fuse_req_t req, size_t size, off_t off);
