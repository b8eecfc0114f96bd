/* SPDX-License-Identifier: MIT */
#include "disk/recover.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mutation.h"
#include "disk/barrier.h"
#include "disk/confirm.h"
#include "disk/relink.h"
#include "disk/resize_fixed.h"
#include "format/block.h"

/*
 * Write the footer at a byte, make it durable, and cut off the file behind it, unless another
 * program has changed the file.
 */
static int cut_at(struct vhd_disk *disk, uint64_t at, bool is_without_barrier)
{
    const uint64_t length = at + VHD_FOOTER_SIZE;

    disk->has_written = true;
    /* The stale footer of an unfinished growth may lie right here. */
    disk->stale_footer_at = 0;
    int err = vhd_footer_put(disk, disk->write_fd, at);
    if (err == 0 && !is_without_barrier)
        err = vhd_disk_barrier_now(disk);
    if (err == 0)
        err = vhd_confirm_cut(disk, length > disk->length ? length : disk->length, at);
    if (err == 0 && ftruncate(disk->write_fd, (off_t)length) < 0)
        err = -errno;
    if (err == 0) {
        disk->footer_at = at;
        disk->length = length;
        disk->tried_length = 0;
    }
    return err;
}

int vhd_disk_cut_slack(struct vhd_disk *disk)
{
    uint64_t at;

    int err = vhd_layout_end(disk->top, &at);
    if (err < 0)
        return err;
    if (at >= disk->footer_at && disk->tried_length == 0)
        return 0;
    err = vhd_confirm_all(disk);
    if (err < 0)
        return err;
    /* In a packed file of another program, the footer may go where a freed block had its bitmap. */
    if (disk->has_freed)
        err = vhd_disk_barrier_now(disk);
    return err == 0 ? cut_at(disk, at, MUTATED(C1)) : err;
}

/*
 * Write our footer to a place of it, and sync, if other bytes stand there. An interrupted resize
 * may have left the footer of the former size, or an early tapdisk a wrong checksum; or the first
 * sector was damaged.
 *
 *   at  bytes: 0 for the copy, or disk->footer_at
 *
 * Returns 0; -ESTALE when another program has changed the file; or another negative errno.
 */
static int mend_footer_at(struct vhd_disk *disk, uint64_t at)
{
    struct vhd_footer_disk found, footer;

    int err = vhd_io_get(disk->top->fd, &found, sizeof found, at);
    if (err < 0)
        return err;
    vhd_footer_encode(&disk->top->image.footer, &footer);
    if (memcmp(&found, &footer, sizeof found) == 0)
        return 0;
    err = vhd_confirm_cut(disk, disk->length, disk->footer_at);
    if (err < 0)
        return err;
    disk->has_written = true;
    err = vhd_footer_put(disk, disk->write_fd, at);
    return err == 0 ? vhd_disk_barrier_now(disk) : err;
}

static bool is_full(int err)
{
    return err == -ENOSPC || err == -EDQUOT;
}

/* Make sure that a sound footer stands right behind the last block. */
static int mend_end(struct vhd_disk *disk, uint64_t at)
{
    const struct vhd_image *image = &disk->top->image;

    if (image->footer_at == at && image->length == at + VHD_FOOTER_SIZE)
        return mend_footer_at(disk, at);
    int err = cut_at(disk, at, MUTATED(O3));
    /*
     * A full host has no place for the footer. If a whole one stands further behind, it stays:
     * nothing is lost, and the disk may be opened only to discard.
     */
    if (is_full(err) && !vhd_disk_has_failed(disk) && image->fault.defect != VHD_FOOTER_LOST)
        err = vhd_slots_add_gap(&disk->slots, at, image->footer_at);
    return err;
}

int vhd_disk_find_gaps(const struct vhd_disk *disk, const struct vhd_layout *content,
                       struct vhd_slots *ret)
{
    const uint64_t length = vhd_block_length(disk->top->image.header.block_size);
    uint64_t end = 0; /* of the stretches so far */
    int err = 0;

    for (size_t i = 0; i < content->count && err == 0; i++) {
        const struct vhd_stretch *next = &content->stretches[i];
        const uint64_t from = end > disk->blocks_at ? end : disk->blocks_at;
        if (next->at > from && next->at - from >= length)
            err = vhd_slots_add_gap(ret, from, next->at);
        end = next->end > end ? next->end : end;
    }
    return err;
}

/*
 * Put both footers in order. The copy comes first, unless it is the only one: it may lead to the
 * far place of a hop, which mend_end() cuts.
 */
static int mend(struct vhd_disk *disk, struct vhd_layout *ret)
{
    const bool is_alone = disk->top->image.fault.defect == VHD_FOOTER_LOST || MUTATED(H5);

    int err = vhd_layout_list(disk->top, ret);
    if (err < 0)
        return err;
    disk->has_batmap = ret->has_batmap;
    disk->blocks_at = ret->first_block;
    err = vhd_confirm_layer(disk, disk->top);
    if (err == 0 && !is_alone)
        err = mend_footer_at(disk, 0);
    if (err == 0)
        err = mend_end(disk, ret->end);
    if (err == 0 && is_alone)
        err = mend_footer_at(disk, 0);
    if (err < 0)
        vhd_layout_free(ret);
    return err;
}

int vhd_disk_recover(struct vhd_disk *disk)
{
    struct vhd_layout content;
    bool is_moved;

    disk->footer_at = disk->top->image.footer_at;
    disk->length = disk->top->image.length;
    disk->tried_length = 0;
    if (vhd_disk_is_fixed(disk))
        return vhd_fixed_recover(disk);
    disk->unallocated = disk->top->image.blocks - disk->top->image.allocated;
    int err = mend(disk, &content);
    if (err < 0)
        return err;
    err = vhd_relink_recover(disk, &is_moved);
    if (err == 0 && is_moved) {
        vhd_layout_free(&content);
        err = vhd_layout_list(disk->top, &content);
        if (err == 0)
            err = cut_at(disk, content.end, false);
    }
    /* A growth may write a bitmap where the footer of the longer file is. */
    if (err == 0 && disk->has_written && !MUTATED(O4))
        err = vhd_disk_barrier_now(disk);
    if (err == 0)
        err = vhd_disk_find_gaps(disk, &content, &disk->slots);
    /* Another program may have given the name to another file meanwhile. */
    if (err == 0)
        err = vhd_confirm_name(disk);
    vhd_layout_free(&content);
    return err;
}
