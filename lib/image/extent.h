/*
 * Extents: a range of a disk as stretches of the files that hold it, found down the chain by runs
 * and not by sectors. Whatever walks a disk's content walks these.
 */
#pragma once

#include "image/layer.h"

struct vhd_extent {
    bool is_hole; /* never written, in no layer: zeros */
    uint64_t len; /* bytes, above 0 */
    int fd;       /* the file that has it, and */
    uint64_t at;  /* where in it; unless it is a hole */
};

/*
 * Tell about the first extent of a range as a layer and those below it have it. Beyond the end of a
 * layer's disk there is a hole.
 *
 *   top       NULL for no layers: all is a hole
 *   off, len  bytes; inside the disk, len above 0
 *
 * To be called from inside the epoch, and what it tells holds only there.
 *
 * Returns 0, or a negative errno of pread(2).
 */
int vhd_extent_at(struct vhd_layer *top, uint64_t off, uint64_t len, struct vhd_extent *ret);

/*
 * Read a range as a layer and those below it have it.
 *
 *   buf          receives len bytes
 *   ret_is_hole  receives whether all of it is a hole, and buf has then not been touched; NULL: buf
 *                is filled anyway
 *
 * To be called from inside the epoch. Returns 0, -EIO when a file has become shorter, or another
 * negative errno of pread(2).
 */
int vhd_extent_read(struct vhd_layer *top, void *buf, size_t len, uint64_t off, bool *ret_is_hole);

/* Is all of a range a hole? Returns 1 or 0, or a negative errno of pread(2). */
int vhd_extent_is_hole(struct vhd_layer *top, uint64_t off, uint64_t len);
