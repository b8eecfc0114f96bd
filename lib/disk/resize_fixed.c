/* SPDX-License-Identifier: MIT */
#include "disk/resize_fixed.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "disk/barrier.h"
#include "disk/confirm.h"
#include "image/mark.h"
#include "store/reserve.h"

/*
 * Note a new footer in memory.
 *
 *   size      of the disk
 *   original  the same, or a mark
 */
static void note_footer(struct vhd_disk *disk, uint64_t size, uint64_t original)
{
    struct vhd_footer *footer = &disk->top->image.footer;

    footer->current_size = size;
    footer->original_size = original;
    footer->geometry = vhd_geometry_of(size / VHD_SECTOR_SIZE);
}

/* Note that the footer at a byte ends the file. */
static void note_end(struct vhd_disk *disk, uint64_t at)
{
    disk->footer_at = at;
    disk->length = at + VHD_FOOTER_SIZE;
}

/* The footer of the disk as it is in memory. */
static const struct vhd_footer *footer_of(const struct vhd_disk *disk)
{
    return &disk->top->image.footer;
}

/* Zero the sector of the other footer, then remove the mark from the one that ends the file. */
static int remove_mark(struct vhd_disk *disk)
{
    static const char zeros[VHD_SECTOR_SIZE];
    struct vhd_footer *footer = &disk->top->image.footer, other;

    int err = vhd_mark_read(disk->top->fd, footer, &other);
    if (err == 0)
        err = vhd_io_put(vhd_disk_writing(disk), zeros, sizeof zeros, vhd_mark_at(footer));
    if (err == 0 || err == -ENOENT)
        err = vhd_disk_barrier(disk);
    if (err < 0)
        return err;
    disk->top->hidden_at = 0;
    /* Other threads may read the rest of the footer in memory. */
    const uint64_t marked = footer->original_size;
    footer->original_size = footer->current_size;
    err = vhd_footer_put(disk, vhd_disk_writing(disk), disk->footer_at);
    if (err < 0)
        footer->original_size = marked; /* as in the file, which the next attempt compares */
    return err == 0 ? vhd_disk_barrier(disk) : err;
}

/*
 * Write a footer behind the end of the file, past the page cache if the host allows it: then the
 * length is durable only with the footer.
 */
static int append_footer(struct vhd_disk *disk, uint64_t at)
{
    AUTO_CLOSE int fd = vhd_reserve_spare(vhd_store_open_again(
        vhd_disk_store(disk), disk->top->file, disk->top->fd, O_WRONLY | O_DIRECT));
    int err = fd < 0 ? -EINVAL : vhd_footer_put(disk, fd, at);

    return err == -EINVAL ? vhd_footer_put(disk, vhd_disk_writing(disk), at) : err;
}

/* Put a marked footer at the new end, durably. After a failure the file has its length again. */
static int extend(struct vhd_disk *disk, uint64_t size)
{
    const struct vhd_footer before = disk->top->image.footer;

    disk->has_written = true;
    note_footer(disk, size, vhd_mark_to(disk->footer_at));
    int err = append_footer(disk, size);
    if (err == 0)
        err = vhd_disk_barrier(disk);
    if (err == 0) {
        disk->top->hidden_at = disk->footer_at;
        note_end(disk, size);
        return 0;
    }
    disk->top->image.footer = before;
    if (ftruncate(disk->write_fd, (off_t)disk->length) < 0)
        disk->has_failed = true;
    return err;
}

int vhd_fixed_extend(struct vhd_disk *disk, uint64_t size)
{
    int err = vhd_confirm_end(disk);
    return err == 0 && size > disk->footer_at ? extend(disk, size) : err;
}

/* Put the end of a lengthened file back to its old footer. */
static int shorten(struct vhd_disk *disk)
{
    struct vhd_footer footer;

    if (!vhd_mark_is_set(footer_of(disk)))
        return 0;
    int err = vhd_mark_read(disk->top->fd, footer_of(disk), &footer);
    if (err < 0)
        return err;
    note_end(disk, vhd_mark_at(footer_of(disk)));
    disk->top->hidden_at = 0;
    disk->top->image.footer = footer;
    if (ftruncate(disk->write_fd, (off_t)disk->length) < 0)
        return -errno;
    return vhd_disk_barrier(disk);
}

int vhd_fixed_retract(struct vhd_disk *disk)
{
    int err = shorten(disk);
    /* To its own length: this gives back space behind the end. */
    if (err == 0 && ftruncate(disk->write_fd, (off_t)disk->length) < 0)
        err = -errno;
    if (err < 0)
        disk->has_failed = true;
    return err;
}

int vhd_fixed_make_way(struct vhd_disk *disk, uint64_t size)
{
    const uint64_t at = vhd_disk_size(disk), end = size < disk->footer_at ? size : disk->footer_at;

    if (at >= end)
        return 0;
    int err = vhd_io_zero(vhd_disk_writing(disk), at, end - at);
    return err == 0 ? vhd_disk_barrier_now(disk) : err;
}

/* Put the footer further to the front: a mark, the footer, then the cut. */
static int pull_footer(struct vhd_disk *disk, uint64_t size)
{
    note_footer(disk, vhd_disk_size(disk), vhd_mark_to(size));
    int err = vhd_footer_put(disk, vhd_disk_writing(disk), disk->footer_at);
    if (err == 0)
        err = vhd_disk_barrier(disk);
    if (err < 0)
        return err;
    note_footer(disk, size, size);
    err = vhd_footer_put(disk, disk->write_fd, size);
    if (err == 0)
        err = vhd_disk_barrier(disk);
    if (err == 0 && ftruncate(disk->write_fd, (off_t)(size + VHD_FOOTER_SIZE)) < 0)
        err = -errno;
    if (err < 0)
        return err;
    note_end(disk, size);
    return vhd_disk_barrier(disk);
}

/* Write the footer where it is, with another size. */
static int keep_footer(struct vhd_disk *disk, uint64_t size)
{
    note_footer(disk, size, size);
    note_end(disk, disk->footer_at);
    int err = vhd_footer_put(disk, vhd_disk_writing(disk), disk->footer_at);
    return err == 0 ? vhd_disk_barrier(disk) : err;
}

int vhd_fixed_resize(struct vhd_disk *disk, uint64_t size)
{
    int err = 0;

    if (size > disk->footer_at)
        err = extend(disk, size);
    if (err < 0)
        return err;
    if (size < disk->footer_at)
        err = pull_footer(disk, size);
    else if (vhd_mark_is_set(footer_of(disk)))
        err = remove_mark(disk);
    else
        err = keep_footer(disk, size);
    if (err < 0)
        disk->has_failed = true;
    return err;
}

int vhd_fixed_recover(struct vhd_disk *disk)
{
    if (!vhd_mark_is_set(footer_of(disk)))
        return 0;
    int err = vhd_confirm_layer(disk, disk->top);
    HOLD_LOCK(&disk->growth_lock);
    return err == 0 ? remove_mark(disk) : err;
}
