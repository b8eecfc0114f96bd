/* SPDX-License-Identifier: MIT */
#include "image/mark.h"

#include <errno.h>

#include "base/io.h"

#define MARK 1u

uint64_t vhd_mark_to(uint64_t at)
{
    return at + MARK;
}

bool vhd_mark_is_set(const struct vhd_footer *footer)
{
    return footer->type == VHD_TYPE_FIXED && footer->original_size % VHD_SECTOR_SIZE == MARK &&
           footer->original_size < footer->current_size;
}

uint64_t vhd_mark_at(const struct vhd_footer *footer)
{
    return footer->original_size - MARK;
}

int vhd_mark_read(int fd, const struct vhd_footer *footer, struct vhd_footer *ret)
{
    struct vhd_footer_disk found;
    struct vhd_fault fault;

    int err = vhd_io_get(fd, &found, sizeof found, vhd_mark_at(footer));
    if (err < 0)
        return err;
    /* The last byte of a footer of 511 bytes is a hole now. */
    bool is_ours = vhd_footer_decode(&found, ret, &fault) == VHD_SOUND &&
                   ret->type == VHD_TYPE_FIXED && uuid_compare(ret->uuid, footer->uuid) == 0;
    return is_ours ? 0 : -ENOENT;
}

int vhd_mark_find(int fd, const struct vhd_footer *footer, uint64_t *ret_at)
{
    struct vhd_footer other;

    int err = vhd_mark_is_set(footer) ? vhd_mark_read(fd, footer, &other) : -ENOENT;
    *ret_at = err == 0 ? vhd_mark_at(footer) : 0;
    return err == -ENOENT ? 0 : err;
}
