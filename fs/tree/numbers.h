/* SPDX-License-Identifier: MIT */
/*
 * Numbers of images: by them the files of a disk keep their st_ino over remounts (ino.h).
 *
 * Most often it is the image's inode number on the host, and costs nothing. A number that does not
 * fit, or is of another file system than the store's folder, is hashed. So is the name of a disk
 * whose image is a hard link to another disk's. Only these cases search the store, so that no two
 * disks get the same number. The result counts for two seconds, unless the folder changes.
 *
 * Every function may be called from any thread.
 */
#pragma once

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "store/store.h"

struct fs_numbered;

/* All zeros but for the lock is an empty index. */
struct fs_numbers {
    pthread_mutex_t lock; /* a leaf, held while the store is read; guards the members below */
    struct fs_numbered *disks;
    size_t count, capacity;
    struct timespec listed_at, folder_changed;
};

/* Release the members of an index. */
void fs_numbers_free(struct fs_numbers *numbers);

/*
 * The number of a disk's image, below FS_NUMBER_END.
 *
 *   name   the disk's name
 *   image  attributes of its image
 */
uint64_t fs_numbers_of(struct fs_numbers *numbers, const struct vhd_store *store, const char *name,
                       const struct stat *image);

/*
 * Is the image of a disk a hard link to that of another, whose name comes first?
 *
 *   ret_first  receives the name of that disk
 */
bool fs_numbers_is_link(struct fs_numbers *numbers, const struct vhd_store *store, const char *name,
                        const struct stat *image, char ret_first[NAME_MAX + 1]);
