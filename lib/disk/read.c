/* SPDX-License-Identifier: MIT */
/*
 * Reading a disk, and finding its data and holes.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "image/extent.h"
#include "disk/state.h"

uint64_t vhd_disk_size(const struct vhd_disk *disk)
{
    return disk->top->image.footer.current_size;
}

void vhd_disk_uuid(const struct vhd_disk *disk, uuid_t ret)
{
    uuid_copy(ret, disk->top->image.footer.uuid);
}

enum vhd_disk_type vhd_disk_type(const struct vhd_disk *disk)
{
    return disk->top->image.footer.type;
}

int vhd_disk_file(const struct vhd_disk *disk, const char **ret_name)
{
    *ret_name = disk->top->file;
    return disk->top->fd;
}

bool vhd_disk_is_writable(const struct vhd_disk *disk)
{
    return disk->is_writable;
}

int vhd_disk_stat(const struct vhd_disk *disk, struct stat *ret)
{
    return fstat(disk->top->fd, ret) < 0 ? -errno : 0;
}

int vhd_disk_read(struct vhd_disk *disk, void *buf, size_t len, uint64_t off, bool *ret_is_hole)
{
    const uint64_t size = vhd_disk_size(disk);

    if (off > size || len > size - off)
        return -ERANGE;
    unsigned side = vhd_epoch_enter(&disk->epoch);
    int err = vhd_extent_read(disk->top, buf, len, off, ret_is_hole);
    vhd_epoch_leave(&disk->epoch, side);
    return err;
}

/* Seek in a fixed disk, whose holes only the host knows. */
static int seek_host(const struct vhd_disk *disk, uint64_t off, bool for_hole, uint64_t *ret)
{
    const uint64_t size = vhd_disk_size(disk);

    off_t found = lseek(disk->top->fd, (off_t)off, for_hole ? SEEK_HOLE : SEEK_DATA);
    if (found < 0)
        return -errno;
    if ((uint64_t)found >= size && !for_hole)
        return -ENXIO;
    *ret = (uint64_t)found < size ? (uint64_t)found : size;
    return 0;
}

int vhd_disk_seek(struct vhd_disk *disk, uint64_t off, bool for_hole, uint64_t *ret)
{
    const uint64_t size = vhd_disk_size(disk);
    struct vhd_extent extent = {.is_hole = !for_hole};
    int err = 0;

    if (off >= size)
        return -ENXIO;
    if (vhd_disk_is_fixed(disk))
        return seek_host(disk, off, for_hole, ret);
    while (off < size && err == 0) {
        unsigned side = vhd_epoch_enter(&disk->epoch);
        err = vhd_extent_at(disk->top, off, size - off, &extent);
        vhd_epoch_leave(&disk->epoch, side);
        if (extent.is_hole == for_hole)
            break;
        off += extent.len;
    }
    if (err == 0 && off >= size && !for_hole)
        return -ENXIO;
    if (err == 0)
        *ret = off < size ? off : size;
    return err;
}

bool vhd_disk_locate(struct vhd_disk *disk, uint64_t off, uint64_t len, int *ret_fd,
                     uint64_t *ret_at)
{
    struct vhd_extent extent;

    if (!*disk->top->file)
        return false;
    unsigned side = vhd_epoch_enter(&disk->epoch);
    int err = vhd_extent_at(disk->top, off, len, &extent);
    vhd_epoch_leave(&disk->epoch, side);
    if (err < 0 || extent.is_hole || extent.len < len)
        return false;
    *ret_fd = extent.fd;
    *ret_at = extent.at;
    return true;
}

void vhd_disk_uncache(struct vhd_disk *disk, uint64_t off, uint64_t len)
{
    /* The kernel drops a large folio only as a whole, so each range covers the end of the last. */
    const uint64_t folio_max = UINT64_C(2) << 20, end = off + len;
    struct vhd_extent extent;

    unsigned side = vhd_epoch_enter(&disk->epoch);
    while (off < end && vhd_extent_at(disk->top, off, end - off, &extent) == 0) {
        const uint64_t before = extent.at < folio_max ? extent.at : folio_max;
        if (!extent.is_hole)
            (void)posix_fadvise(extent.fd, (off_t)(extent.at - before),
                                (off_t)(before + extent.len), POSIX_FADV_DONTNEED);
        off += extent.len;
    }
    vhd_epoch_leave(&disk->epoch, side);
}
