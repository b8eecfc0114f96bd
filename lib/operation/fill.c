/* SPDX-License-Identifier: MIT */
#include "operation/fill.h"

#include <errno.h>

#include "base/io.h"
#include "operation/clone.h"
#include "operation/preallocate.h"

/* Write a fixed disk: its content, then its footer. */
static int fill_fixed(int fd, const struct vhd_blank *blank, struct vhd_disk *source,
                      struct vhd_task *task)
{
    const uint64_t size = blank->footer.current_size;
    struct vhd_footer_disk footer;

    /* Where the host reserves space, that takes a small part of the time. */
    int err = vhd_preallocate(fd, 0, size, source ? 10 : 99, task);
    if (err == 0 && source)
        err = vhd_clone(fd, NULL, source, task);
    vhd_footer_encode(&blank->footer, &footer);
    return err < 0 ? err : vhd_io_put(fd, &footer, sizeof footer, size);
}

int vhd_fill(int fd, const struct vhd_blank *blank, struct vhd_disk *source, struct vhd_task *task)
{
    uint64_t off;

    /* The copy of a disk without data is an empty disk. The clone meets any other error again. */
    if (source && vhd_disk_seek(source, 0, false, &off) == -ENXIO)
        source = NULL;
    if (blank->footer.type == VHD_TYPE_FIXED)
        return fill_fixed(fd, blank, source, task);
    return source ? vhd_clone(fd, blank, source, task) : vhd_blank_write(fd, blank);
}
