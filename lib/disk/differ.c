/* SPDX-License-Identifier: MIT */
#include "disk/differ.h"

#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "base/io.h"
#include "base/mutation.h"
#include "base/zeros.h"
#include "image/extent.h"
#include "disk/allocate.h"
#include "format/bitmap.h"
#include "format/block.h"

/* A part of one block. */
struct part {
    uint32_t block, entry;
    uint64_t block_at; /* where the block begins on the disk */
    uint64_t within;   /* where the part begins in the block */
    uint64_t len;
};

/* The part of a range in its first block, with the entry of that block now. */
static struct part part_of(const struct vhd_disk *disk, uint64_t len, uint64_t off)
{
    const uint64_t size = disk->top->image.header.block_size, within = off % size;
    const uint32_t block = (uint32_t)(off / size);

    return (struct part){
        .block = block,
        .entry = vhd_layer_entry(disk->top, block),
        .block_at = off - within,
        .within = within,
        .len = len < size - within ? len : size - within,
    };
}

static uint64_t file_offset(const struct vhd_disk *disk, const struct part *part, uint64_t within)
{
    return vhd_layer_data(disk->top, part->entry) + within;
}

/*
 * Read the disk from one byte of a block to another, so that a subblock can be written whole.
 * Beyond the end of the disk there are zeros.
 */
static int read_rest(const struct vhd_disk *disk, const struct part *part, uint64_t from,
                     uint64_t to, uint8_t *buf)
{
    const uint64_t end = vhd_disk_block_length(disk, part->block);
    const uint64_t stop = to < end ? to : end;

    memset(buf, 0, to - from);
    if (from >= stop || MUTATED(D5))
        return 0;
    return vhd_extent_read(disk->top, buf, stop - from, part->block_at + from, NULL);
}

/* Write all subblocks of a range whole: the new data, and the old data around it. */
static int write_whole(struct vhd_disk *disk, const struct part *part,
                       const struct vhd_subblock_range *range, const void *buf)
{
    const uint64_t size = vhd_subblocks_size(disk->subblocks);
    const uint64_t from = range->first * size, to = range->end * size;
    const uint64_t end = part->within + part->len;
    uint8_t head[VHD_SUBBLOCK], tail[VHD_SUBBLOCK];

    int err = read_rest(disk, part, from, part->within, head);
    if (err == 0)
        err = read_rest(disk, part, end, to, tail);
    if (err < 0)
        return err;
    struct iovec iov[] = {
        {head, part->within - from},
        {(void *)(uintptr_t)buf, part->len},
        {tail, to - end},
    };
    return vhd_io_write(vhd_disk_writing(disk), iov, 3, file_offset(disk, part, from));
}

/*
 * May bits go to disk with their data? Yes, where all parents have a hole: until both are durable
 * the disk reads as zeros, as before. But the slot must have been ready in this opening. In a block
 * found at open, data of a lost write may lie under a clear bit.
 *
 * Returns 1 or 0, or a negative errno.
 */
static int may_bits_go_early(struct vhd_disk *disk, const struct part *part,
                             const struct vhd_subblock_range *range)
{
    const uint64_t size = vhd_subblocks_size(disk->subblocks);
    const uint64_t end = vhd_disk_block_length(disk, part->block);
    const uint64_t from = range->first * size,
                   to = range->end * size < end ? range->end * size : end;

    if (MUTATED(D2))
        return 1;
    if (!bits_get(disk->slot_was_ready, part->block) && !MUTATED(D8))
        return 0;
    return from >= end ? 1
                       : vhd_extent_is_hole(disk->top->parent, part->block_at + from, to - from);
}

/* Write absent subblocks. The part is cut to its start that lies in the reserved range. */
static int write_first(struct vhd_disk *disk, struct part *part, const void *buf)
{
    const uint64_t size = vhd_subblocks_size(disk->subblocks);
    struct vhd_subblock_range range;

    int err = vhd_subblocks_reserve_absent(
        disk->subblocks, part->block, part->entry, (uint32_t)(part->within / size),
        (uint32_t)div_round_up(part->within + part->len, size), &range);
    if (err < 0)
        return err;
    if (range.first == range.end) {
        part->len = 0;
        return 0;
    }
    if (part->within + part->len > range.end * size)
        part->len = range.end * size - part->within;
    err = write_whole(disk, part, &range, buf);
    if (err < 0)
        bits_clear(disk->slot_was_ready, part->block); /* data may lie under clear bits now */
    int is_early = err == 0 ? may_bits_go_early(disk, part, &range) : 0;
    enum vhd_subblock_outcome how = err < 0         ? VHD_SUBBLOCKS_FAILED
                                    : is_early == 1 ? VHD_SUBBLOCKS_ON_DISK
                                                    : VHD_SUBBLOCKS_PENDING;
    int bits_err = vhd_subblocks_release(disk->subblocks, &range, how);
    return err < 0 ? err : is_early < 0 ? is_early : bits_err;
}

/*
 * Find how many bytes at the start of a part lie in subblocks that are present whole.
 *
 * A subblock that another program has set in part counts as absent. The writer that reserves it
 * reads its data and writes it whole, so a write past the reservation would be undone.
 */
static int length_here(const struct vhd_disk *disk, const struct part *part, uint64_t *ret)
{
    const uint64_t size = vhd_subblocks_size(disk->subblocks);
    const uint64_t block_end = vhd_disk_block_length(disk, part->block);
    const uint64_t from = part->within - part->within % size, part_end = part->within + part->len;
    uint64_t end = round_up(part_end, size);
    struct vhd_run run;

    if (end > block_end)
        end = block_end;
    int err = vhd_layer_run(disk->top, part->block_at + from, end - from, &run);
    if (err < 0)
        return err;
    uint64_t here = run.is_here ? from + run.len : from;
    if (here < end)
        here -= here % size;
    if (here > part_end)
        here = part_end;
    *ret = here > part->within ? here - part->within : 0;
    return 0;
}

/* Write to an allocated block, inside the epoch: in place where subblocks are present. */
static int write_allocated(struct vhd_disk *disk, struct part *part, const void *buf)
{
    uint64_t here;

    int err = length_here(disk, part, &here);
    if (err < 0)
        return err;
    if (here == 0)
        return write_first(disk, part, buf);
    part->len = here;
    return vhd_io_put(vhd_disk_writing(disk), buf, part->len,
                      file_offset(disk, part, part->within));
}

/* Must a write to an unallocated block give it a slot? Zeros in a hole need none. */
static int needs_slot(const struct vhd_disk *disk, const struct part *part, const void *buf)
{
    if (!is_zeros(buf, part->len))
        return 1;
    int is_hole = vhd_extent_is_hole(disk->top->parent, part->block_at + part->within, part->len);
    return is_hole < 0 ? is_hole : !is_hole;
}

int vhd_differ_write(struct vhd_disk *disk, const void *buf, size_t len, uint64_t off,
                     size_t *ret_done)
{
    int err, lacks_slot = 0;

    unsigned side = vhd_epoch_enter(&disk->epoch);
    struct part part = part_of(disk, len, off);
    if (part.entry == VHD_UNALLOCATED)
        err = lacks_slot = needs_slot(disk, &part, buf);
    else
        err = write_allocated(disk, &part, buf);
    vhd_epoch_leave(&disk->epoch, side);
    if (lacks_slot == 1) {
        err = vhd_block_allocate(disk, part.block);
        part.len = 0;
    }
    *ret_done = part.len;
    return err;
}

/* Write zeros to less than a subblock. */
static int zero_piece(struct vhd_disk *disk, uint64_t off, uint64_t len, uint64_t *ret_done)
{
    static const uint8_t zeros[VHD_SUBBLOCK];

    return vhd_differ_write(disk, zeros, len < sizeof zeros ? len : sizeof zeros, off, ret_done);
}

/* Zero whole subblocks of an allocated block. */
static int zero_subblocks(struct vhd_disk *disk, struct part *part, uint32_t first, uint32_t end)
{
    const uint64_t size = vhd_subblocks_size(disk->subblocks);
    const uint64_t from = file_offset(disk, part, first * size), len = (end - first) * size;
    struct vhd_subblock_range range;

    if (vhd_layer_is_full(disk->top, part->block, part->entry))
        return vhd_io_zero(vhd_disk_writing(disk), from, len);
    int err = vhd_subblocks_reserve(disk->subblocks, part->block, part->entry, first, end, &range);
    if (err < 0)
        return err;
    if (range.first == range.end) {
        part->len = 0;
        return 0;
    }
    err = vhd_io_zero(vhd_disk_writing(disk), from, len);
    vhd_subblocks_release(disk->subblocks, &range,
                          err < 0 ? VHD_SUBBLOCKS_FAILED : VHD_SUBBLOCKS_PENDING);
    return err;
}

/* Zero the start of a part that is no hole: whole subblocks, or the rest of one. */
static int zero_allocated(struct vhd_disk *disk, struct part *part)
{
    const uint64_t size = vhd_subblocks_size(disk->subblocks);
    const uint64_t end = part->within + part->len;
    const bool is_to_end = end == vhd_disk_block_length(disk, part->block);
    const uint64_t first = div_round_up(part->within, size);
    const uint64_t last = is_to_end ? div_round_up(end, size) : end / size;

    if (part->within % size != 0 || first >= last) {
        uint64_t border = round_up(part->within + 1, size);
        part->len = border < end ? border - part->within : part->len;
        return zero_piece(disk, part->block_at + part->within, part->len, &part->len);
    }
    part->len = last * size < end ? last * size - part->within : part->len;
    return zero_subblocks(disk, part, (uint32_t)first, (uint32_t)last);
}

int vhd_differ_zero(struct vhd_disk *disk, uint64_t len, uint64_t off, uint64_t *ret_done)
{
    struct vhd_extent extent;

    unsigned side = vhd_epoch_enter(&disk->epoch);
    struct part part = part_of(disk, len, off);
    const bool is_allocated = part.entry != VHD_UNALLOCATED;
    int err = vhd_extent_at(disk->top, off, part.len, &extent);
    if (err == 0 && extent.is_hole)
        part.len = extent.len;
    else if (err == 0 && is_allocated)
        err = zero_allocated(disk, &part);
    vhd_epoch_leave(&disk->epoch, side);
    if (err == 0 && !extent.is_hole && !is_allocated) {
        err = vhd_block_allocate(disk, part.block);
        part.len = 0;
    }
    *ret_done = part.len;
    return err;
}
