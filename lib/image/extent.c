/* SPDX-License-Identifier: MIT */
#include "image/extent.h"

#include <string.h>

#include "base/io.h"

int vhd_extent_at(struct vhd_layer *top, uint64_t off, uint64_t len, struct vhd_extent *ret)
{
    for (struct vhd_layer *layer = top; layer; layer = layer->parent) {
        const uint64_t size = layer->image.footer.current_size;
        struct vhd_run run;
        /*
         * A parent may be smaller than its child. Beyond its end are zeros, even if a layer below
         * has data.
         */
        if (off >= size)
            break;
        if (len > size - off)
            len = size - off;
        int err = vhd_layer_run(layer, off, len, &run);
        if (err < 0)
            return err;
        len = run.len;
        if (run.is_here) {
            *ret = (struct vhd_extent){.len = len, .fd = layer->fd, .at = run.at};
            return 0;
        }
    }
    *ret = (struct vhd_extent){.is_hole = true, .len = len, .fd = -1};
    return 0;
}

int vhd_extent_read(struct vhd_layer *top, void *buf, size_t len, uint64_t off, bool *ret_is_hole)
{
    char *to = buf;
    size_t zeros = 0; /* in front, not filled in yet */
    bool is_hole = true;

    for (size_t done = 0; done < len;) {
        struct vhd_extent extent;
        int err = vhd_extent_at(top, off + done, len - done, &extent);
        if (err < 0)
            return err;
        if (!extent.is_hole) {
            if (is_hole)
                memset(to, 0, zeros);
            is_hole = false;
            err = vhd_io_get(extent.fd, to + done, extent.len, extent.at);
            if (err < 0)
                return err;
        } else if (is_hole) {
            zeros += extent.len;
        } else {
            memset(to + done, 0, extent.len);
        }
        done += extent.len;
    }
    if (ret_is_hole)
        *ret_is_hole = is_hole;
    else if (is_hole)
        memset(to, 0, len);
    return 0;
}

int vhd_extent_is_hole(struct vhd_layer *top, uint64_t off, uint64_t len)
{
    struct vhd_extent extent = {.is_hole = true};

    for (uint64_t done = 0; done < len && extent.is_hole; done += extent.len) {
        int err = vhd_extent_at(top, off + done, len - done, &extent);
        if (err < 0)
            return err;
    }
    return extent.is_hole;
}
