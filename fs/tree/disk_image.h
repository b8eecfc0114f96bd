/* SPDX-License-Identifier: MIT */
/*
 * The image of a disk, open or not: its attributes, and changes of its file that are not writes to
 * the disk. After one by another program it is another image; after our own it is not. See
 * fs/README.md, "Replaced images".
 *
 * Every function may be called from any thread. fs_disk_stat() waits for no other thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "tree/fs.h"

struct fs_disk;

/* Attributes of a disk. */
struct fs_disk_stat {
    uint64_t size;          /* bytes of the disk; 0 where its image is damaged */
    struct stat attributes; /* of the image */
};

/*
 * Find the size of a disk, open or not, and the attributes of its image.
 *
 *   name  the disk's name
 *
 * Returns 0; -ENOENT when there is no such disk; -EMFILE, -ENFILE or -ENOMEM when the image cannot
 * be opened just now; or another negative errno of fstat(2).
 */
int fs_disk_stat(struct fs_disk *disk, struct fs *fs, const char *name, struct fs_disk_stat *ret);

/*
 * Is the disk open, and has another program replaced or changed its image since? While a thread
 * opens or closes it the answer is no: the next open confirms the image.
 *
 *   attributes  of the file that has the name now
 */
bool fs_disk_is_another(struct fs_disk *disk, const struct stat *attributes);

/* Note that we have renamed the disk, which is closed: its content is the same. */
void fs_disk_renamed(struct fs_disk *disk, struct fs *fs, const char *new_name);

/*
 * Change owner or mode of the image by change(), which then does not count as a change by others.
 *
 * Returns as change(): 0 or a negative errno.
 */
int fs_disk_change_attributes(struct fs_disk *disk, struct fs *fs, const char *name,
                              int (*change)(void *arg), void *arg);
