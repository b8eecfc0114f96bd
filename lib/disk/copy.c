/* SPDX-License-Identifier: MIT */
/*
 * Copying from one disk to another.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "disk/disk.h"

/* Bytes that one buffer holds. */
#define PIECE (UINT64_C(1) << 20)

/* Copy data of at most PIECE bytes. */
static int copy_piece(struct vhd_disk *source, uint64_t from, struct vhd_disk *target, uint64_t to,
                      size_t len, void *buf)
{
    bool is_hole;

    int err = vhd_disk_read(source, buf, len, from, &is_hole);
    if (err < 0)
        return err;
    /* Another thread may have discarded it meanwhile. */
    return is_hole ? vhd_disk_discard(target, len, to) : vhd_disk_write(target, buf, len, to);
}

/* Find how far the hole or the data at off reaches, up to len. */
static int stretch_at(struct vhd_disk *source, uint64_t off, uint64_t len, bool *ret_is_hole,
                      uint64_t *ret_len)
{
    uint64_t end = off + len;

    int err = vhd_disk_seek(source, off, false, &end);
    *ret_is_hole = err == -ENXIO || (err == 0 && end > off);
    if (err == 0 && !*ret_is_hole)
        err = vhd_disk_seek(source, off, true, &end);
    *ret_len = end - off < len ? end - off : len;
    return err == -ENXIO ? 0 : err;
}

int vhd_disk_copy(struct vhd_disk *source, uint64_t source_off, struct vhd_disk *target,
                  uint64_t target_off, uint64_t len)
{
    const uint64_t size = vhd_disk_size(source);
    AUTO_FREE void *buf = malloc(len < PIECE ? len + 1 : PIECE);
    int err = buf ? 0 : -ENOMEM;

    if (source_off > size || len > size - source_off)
        return -ERANGE;
    while (len > 0 && err == 0) {
        uint64_t piece = 0;
        bool is_hole = false;
        err = stretch_at(source, source_off, len, &is_hole, &piece);
        if (err == 0 && is_hole) {
            err = vhd_disk_discard(target, piece, target_off);
        } else if (err == 0) {
            piece = piece < PIECE ? piece : PIECE;
            err = copy_piece(source, source_off, target, target_off, piece, buf);
        }
        source_off += piece;
        target_off += piece;
        len -= piece;
    }
    return err;
}
