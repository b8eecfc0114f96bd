/* SPDX-License-Identifier: MIT */
#include "disk/resize_fixed.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "disk/barrier.h"
#include "disk/confirm.h"
#include "store/reserve.h"

/*
 * The mark: the original size of a footer is the byte where the other one lies, plus one. No disk
 * has an odd size, so no other program makes such a footer.
 */
#define MARK 1u

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

/* Has the disk a marked footer? Another one of this disk lies before it then. */
static bool is_marked(const struct vhd_disk *disk)
{
    const struct vhd_footer *footer = &disk->top->image.footer;

    return footer->original_size % VHD_SECTOR_SIZE == MARK &&
           footer->original_size < footer->current_size;
}

/* The byte that a mark leads to. */
static uint64_t other_at(const struct vhd_disk *disk)
{
    return disk->top->image.footer.original_size - MARK;
}

/*
 * Read the footer that the mark leads to. Returns 0; -ENOENT if it is gone, because this was done
 * before, or a program has written there; or the negative errno of pread(2).
 */
static int read_other(const struct vhd_disk *disk, struct vhd_footer *ret)
{
    const struct vhd_footer *own = &disk->top->image.footer;
    struct vhd_footer_disk found;
    struct vhd_fault fault;

    int err = vhd_io_get(disk->top->fd, &found, sizeof found, other_at(disk));
    if (err < 0)
        return err;
    /* The last byte of a footer of 511 bytes is a hole now. */
    bool is_ours = vhd_footer_decode(&found, ret, &fault) == VHD_SOUND &&
                   ret->type == VHD_TYPE_FIXED && uuid_compare(ret->uuid, own->uuid) == 0;
    return is_ours ? 0 : -ENOENT;
}

/* Zero the sector of the other footer, then remove the mark from the one that ends the file. */
static int remove_mark(struct vhd_disk *disk)
{
    static const char zeros[VHD_SECTOR_SIZE];
    struct vhd_footer *footer = &disk->top->image.footer, other;

    int err = read_other(disk, &other);
    if (err == 0)
        err = vhd_io_put(vhd_disk_writing(disk), zeros, sizeof zeros, other_at(disk));
    if (err == 0 || err == -ENOENT)
        err = vhd_disk_barrier(disk);
    if (err < 0)
        return err;
    /* Other threads may read the rest of the footer in memory. */
    footer->original_size = footer->current_size;
    err = vhd_footer_put(disk, vhd_disk_writing(disk), disk->footer_at);
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
    note_footer(disk, size, disk->footer_at + MARK);
    int err = append_footer(disk, size);
    if (err == 0)
        err = vhd_disk_barrier(disk);
    if (err == 0) {
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

    if (!is_marked(disk))
        return 0;
    int err = read_other(disk, &footer);
    if (err < 0)
        return err;
    note_end(disk, other_at(disk));
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
    note_footer(disk, vhd_disk_size(disk), size + MARK);
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
    else if (is_marked(disk))
        err = remove_mark(disk);
    else
        err = keep_footer(disk, size);
    if (err < 0)
        disk->has_failed = true;
    return err;
}

int vhd_fixed_recover(struct vhd_disk *disk)
{
    if (!is_marked(disk))
        return 0;
    int err = vhd_confirm_layer(disk, disk->top);
    HOLD_LOCK(&disk->growth_lock);
    return err == 0 ? remove_mark(disk) : err;
}
