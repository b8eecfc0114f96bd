/*
 * Everything that is known of a disk in a store, for a person to read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "image/children.h"
#include "image/image.h"
#include "store/store.h"

struct vhd_info {
    char name[NAME_MAX + 1];
    char file[NAME_MAX + 1]; /* in the store's directory */
    uint64_t used;           /* bytes on the host */
    struct timespec changed; /* the file's modification time */
    struct vhd_image image;  /* what cannot be opened has image.fault alone; read whole, the fault
                                may also be that of a parent */
    bool has_slack;
    uint64_t slack; /* bytes between the file's content and its footer; with has_slack */
    unsigned depth; /* files of the chain, this one included; 0 where the chain cannot be read */
    char parent[NAME_MAX + 1]; /* name of the parent disk; empty without one */
    unsigned children;         /* disks of the store that name this one as parent */
};

/*
 * Look at a disk: all but its table and its children, so that it costs little whatever its size
 * and however many others there are. image.blocks, image.allocated, slack, depth
 * and children are 0.
 *
 *   name  the disk's name
 *
 * Returns 0, also when the image is damaged or no VHD at all: ret->image.fault then says so.
 * Or -ENOENT when there is no such disk, or another negative errno of fstatat(2).
 */
int vhd_info_look(const struct vhd_store *store, const char *name, struct vhd_info *ret);

/*
 * Read everything about a disk.
 *
 *   children  the index of that store
 *
 * Returns as vhd_info_look(), or what vhd_children_count() returns.
 */
int vhd_info_read(const struct vhd_store *store, struct vhd_children *children, const char *name,
                  struct vhd_info *ret);
