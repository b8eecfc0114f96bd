/* SPDX-License-Identifier: MIT */
#include "library.h"

#include <string.h>

static struct vhd_disk *disk_of(struct target *target)
{
    return ((struct library_target *)target)->disk;
}

/*
 * Half of the reads ask whether the range is a hole. For a hole the library leaves the buffer
 * alone.
 */
static int library_read(struct target *target, void *buf, size_t len, uint64_t off)
{
    bool is_hole = false;

    if ((off / 512 + off) % 2 == 0)
        return vhd_disk_read(disk_of(target), buf, len, off, NULL);
    int err = vhd_disk_read(disk_of(target), buf, len, off, &is_hole);
    if (err == 0 && is_hole)
        memset(buf, 0, len);
    return err;
}

static int library_write(struct target *target, const void *buf, size_t len, uint64_t off)
{
    return vhd_disk_write(disk_of(target), buf, len, off);
}

static int library_discard(struct target *target, uint64_t len, uint64_t off)
{
    return vhd_disk_discard(disk_of(target), len, off);
}

static int library_flush(struct target *target)
{
    return vhd_disk_flush(disk_of(target));
}

static int library_seek(struct target *target, uint64_t off, bool for_hole, uint64_t *ret)
{
    return vhd_disk_seek(disk_of(target), off, for_hole, ret);
}

static int library_copy(struct target *source, uint64_t source_off, struct target *target,
                        uint64_t target_off, uint64_t len)
{
    return vhd_disk_copy(disk_of(source), source_off, disk_of(target), target_off, len);
}

static const struct target_ops library_ops = {
    .read = library_read,
    .write = library_write,
    .discard = library_discard,
    .flush = library_flush,
    .seek = library_seek,
    .copy = library_copy,
};

struct library_target library_target_of(struct vhd_disk *disk)
{
    return (struct library_target){
        .target = {.ops = &library_ops, .size = vhd_disk_size(disk)},
        .disk = disk,
    };
}
