/* SPDX-License-Identifier: MIT */
/*
 * All facts about a disk of a store, for its user to read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "image/catalogue.h"
#include "image/image.h"
#include "store/store.h"

struct vhd_info {
    char name[NAME_MAX + 1];
    char file[NAME_MAX + 1]; /* in the store's directory */
    uint64_t used;           /* bytes on the host */
    struct timespec changed; /* the file's modification time */
    struct vhd_image image;  /* image.fault alone if the file cannot be opened; vhd_info_read_all()
                                may put a parent's fault there */
    bool has_slack;
    uint64_t slack;            /* bytes between the last block and the footer; with has_slack */
    unsigned depth;            /* files of the chain, this one included; 0 if it cannot be read */
    char parent[NAME_MAX + 1]; /* name of the parent disk; empty for none */
    unsigned children;         /* disks of the store that name this one as parent */
};

/*
 * Read about a disk without its table, its chain and its children, at a small cost for any size and
 * number of disks. image.blocks, image.allocated, slack, depth and children are 0.
 *
 *   name  the disk's name
 *
 * Returns 0, also when the image is damaged or no VHD at all: see ret->image.fault. -ENOENT when
 * there is no such disk, or another negative errno of fstatat(2).
 */
int vhd_info_read(const struct vhd_store *store, const char *name, struct vhd_info *ret);

/*
 * Read all about a disk.
 *
 * Returns as vhd_info_read() or vhd_catalogue_count_children().
 */
int vhd_info_read_all(struct vhd_catalogue *catalogue, const char *name, struct vhd_info *ret);
