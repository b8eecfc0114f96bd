/* SPDX-License-Identifier: MIT */
/*
 * The state of a disk in use, for open_disk.c and disk_image.c alone; open_disk.h and disk_image.h
 * are its faces.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "disk/disk.h"
#include "store/fingerprint.h"
#include "tree/page_cache.h"

/*
 * An open disk. The disk's lock guards all that is not constant. The mode is constant while a raw
 * file is open.
 */
struct fs_open_disk {
    struct vhd_disk *content;      /* constant */
    struct vhd_fingerprint opened; /* the image when it was opened, or as we changed it since */
    bool is_direct;                /* the mode */
    _Atomic int failure;           /* negative errno of the last failed write; 0 when taken */
    unsigned files;                /* open of it, raw and fixed.vhd */
    unsigned raws, mappers;        /* of them */
    unsigned flushed;              /* of the raws: flushed, and not used since */
};

/* What was last seen of an image. */
struct fs_seen {
    bool is_known;
    struct vhd_fingerprint image;
    uint64_t size;
};

struct fs_disk {
    /* It guards the members below. A leaf, not held while a disk is opened or closed. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_busy; /* a thread opens, closes or truncates the disk, without the lock */

    struct fs_open_disk *current; /* NULL while closed */
    unsigned former_raws;         /* raw files of open disks whose image was replaced */

    struct fs_page_cache raw, fixed;
    bool is_left;                /* it was open, so left is set */
    struct vhd_fingerprint left; /* the image that the kernel's pages match */
    struct fs_seen seen;
};

/* Wait until no thread is busy with the disk, and become busy with it. Under the lock. */
static inline void fs_disk_begin_change(struct fs_disk *disk)
{
    while (disk->is_busy)
        pthread_cond_wait(&disk->changed, &disk->lock);
    disk->is_busy = true;
}

/* Let the next thread be busy with the disk. Under the lock. */
static inline void fs_disk_end_change(struct fs_disk *disk)
{
    disk->is_busy = false;
    pthread_cond_broadcast(&disk->changed);
}
