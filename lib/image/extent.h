/* SPDX-License-Identifier: MIT */
/*
 * Extents: a range of a disk as stretches of the files that hold it. They come from runs of each
 * layer down the chain, not from single sectors. Each walk over a disk's content uses them.
 */
#pragma once

#include "image/layer.h"

struct vhd_extent {
    bool is_hole; /* unwritten in every layer: zeros */
    uint64_t len; /* bytes, above 0 */
    int fd;       /* the file that holds it */
    uint64_t at;  /* byte offset in that file; unused for a hole */
};

/*
 * Find the first extent of a range in a layer and those below it. Beyond the end of a layer's disk
 * there is a hole.
 *
 *   top       NULL for no layers: all is a hole
 *   off, len  bytes; inside the disk, len above 0
 *
 * Call it inside the epoch; the result is valid only there.
 *
 * Returns 0, or a negative errno of pread(2).
 */
int vhd_extent_at(struct vhd_layer *top, uint64_t off, uint64_t len, struct vhd_extent *ret);

/*
 * Read a range from a layer and those below it.
 *
 *   buf          receives len bytes
 *   ret_is_hole  receives true when all of the range is a hole: buf is then unchanged. NULL: buf is
 *                filled with zeros instead
 *
 * Call it inside the epoch. Returns 0, -EIO when a file has become shorter, or another negative
 * errno of pread(2).
 */
int vhd_extent_read(struct vhd_layer *top, void *buf, size_t len, uint64_t off, bool *ret_is_hole);

/*
 * Is all of a range a hole? Call it inside the epoch, if top has a writer.
 *
 * Returns 1 or 0, or a negative errno of pread(2).
 */
int vhd_extent_is_hole(struct vhd_layer *top, uint64_t off, uint64_t len);
