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

/* A part of one block, as everything here works on. */
struct part {
    uint32_t block, entry;
    uint64_t block_at; /* where the block begins on the disk */
    uint64_t within;   /* where the part begins in the block */
    uint64_t len;
};

/* What of a range lies in its first block, and where that block is just now. */
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
 * Read what the disk has between two places of a block, so that a granule can be written whole.
 * Behind the disk's end there are zeros.
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

/* Write the whole granules of a span: the data, and around it what they had. */
static int write_whole(struct vhd_disk *disk, const struct part *part, const struct vhd_span *span,
                       const void *buf)
{
    const uint64_t size = vhd_granules_size(disk->granules);
    const uint64_t from = span->first * size, to = span->end * size;
    const uint64_t end = part->within + part->len;
    uint8_t head[VHD_GRANULE], tail[VHD_GRANULE];

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
 * Where no parent has anything, the bits may go to disk together with the data: until both are
 * durable there are zeros, as before. In a room that was READY since the disk was opened, that
 * is; in one that was found, the data of a lost write may lie under a clear bit.
 *
 * Returns 1 or 0, or a negative errno.
 */
static int may_bits_go_early(struct vhd_disk *disk, const struct part *part,
                             const struct vhd_span *span)
{
    const uint64_t size = vhd_granules_size(disk->granules);
    const uint64_t end = vhd_disk_block_length(disk, part->block);
    const uint64_t from = span->first * size, to = span->end * size < end ? span->end * size : end;

    if (MUTATED(D2))
        return 1;
    if (!bits_get(disk->fresh, part->block) && !MUTATED(D8))
        return 0;
    return from >= end ? 1
                       : vhd_extent_is_hole(disk->top->parent, part->block_at + from, to - from);
}

/* Write granules that are not here yet; part is cut to what of it lies in the span. */
static int write_first(struct vhd_disk *disk, struct part *part, const void *buf)
{
    const uint64_t size = vhd_granules_size(disk->granules);
    struct vhd_span span;

    int err = vhd_granules_take_absent(
        disk->granules, part->block, part->entry, (uint32_t)(part->within / size),
        (uint32_t)div_round_up(part->within + part->len, size), &span);
    if (err < 0)
        return err;
    if (part->within + part->len > span.end * size)
        part->len = span.end * size - part->within;
    err = write_whole(disk, part, &span, buf);
    if (err < 0)
        bits_clear(disk->fresh, part->block); /* some of it may lie under clear bits now */
    int is_early = err == 0 ? may_bits_go_early(disk, part, &span) : 0;
    enum vhd_span_end how = err < 0         ? VHD_SPAN_FAILED
                            : is_early == 1 ? VHD_SPAN_ON_DISK
                                            : VHD_SPAN_PENDING;
    int bits_err = vhd_granules_give_back(disk->granules, &span, how);
    return err < 0 ? err : is_early < 0 ? is_early : bits_err;
}

/*
 * How much of a part, from its start, lies in granules that are here whole? Of one that is here in
 * part, as other programs leave them, the rest is written by whoever takes it, together with what
 * he has read of this part: so nobody else may write to it meanwhile.
 */
static int length_here(const struct vhd_disk *disk, const struct part *part, uint64_t *ret)
{
    const uint64_t size = vhd_granules_size(disk->granules);
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

/* Write to an allocated block, from inside the grace: what is here already is simply written. */
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

/* What the caller sees: -EAGAIN means that somebody was faster, and it is to be looked at again. */
static int done(int err, uint64_t len, uint64_t *ret_done)
{
    *ret_done = err == -EAGAIN ? 0 : len;
    return err == -EAGAIN ? 0 : err;
}

/* Is a part of an unallocated block to be written at all? Zeros over what was never written not. */
static int needs_room(const struct vhd_disk *disk, const struct part *part, const void *buf)
{
    if (!is_zeros(buf, part->len))
        return 1;
    int is_hole = vhd_extent_is_hole(disk->top->parent, part->block_at + part->within, part->len);
    return is_hole < 0 ? is_hole : !is_hole;
}

int vhd_differ_write(struct vhd_disk *disk, const void *buf, size_t len, uint64_t off,
                     size_t *ret_done)
{
    int err, lacks_room = 0;

    unsigned side = vhd_grace_enter(&disk->grace);
    struct part part = part_of(disk, len, off);
    if (part.entry == VHD_UNALLOCATED)
        err = lacks_room = needs_room(disk, &part, buf);
    else
        err = write_allocated(disk, &part, buf);
    vhd_grace_leave(&disk->grace, side);
    if (lacks_room == 1) {
        err = vhd_allocate(disk, part.block);
        part.len = 0;
    }
    return done(err, part.len, ret_done);
}

/* Zero less than a granule, as any write of zeros. */
static int zero_piece(struct vhd_disk *disk, uint64_t off, uint64_t len, uint64_t *ret_done)
{
    static const uint8_t zeros[VHD_GRANULE];

    return vhd_differ_write(disk, zeros, len < sizeof zeros ? len : sizeof zeros, off, ret_done);
}

/* Zero whole granules of an allocated block. */
static int zero_granules(struct vhd_disk *disk, const struct part *part, uint32_t first,
                         uint32_t end)
{
    const uint64_t size = vhd_granules_size(disk->granules);
    const uint64_t from = file_offset(disk, part, first * size), len = (end - first) * size;
    struct vhd_span span;

    if (vhd_layer_is_full(disk->top, part->block, part->entry))
        return vhd_io_zero(vhd_disk_writing(disk), from, len);
    int err = vhd_granules_take(disk->granules, part->block, part->entry, first, end, &span);
    if (err < 0)
        return err;
    err = vhd_io_zero(vhd_disk_writing(disk), from, len);
    vhd_granules_give_back(disk->granules, &span, err < 0 ? VHD_SPAN_FAILED : VHD_SPAN_PENDING);
    return err;
}

/* Zero the start of a part that is not a hole: up to a granule's border, or whole granules. */
static int zero_allocated(struct vhd_disk *disk, struct part *part)
{
    const uint64_t size = vhd_granules_size(disk->granules);
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
    return zero_granules(disk, part, (uint32_t)first, (uint32_t)last);
}

int vhd_differ_zero(struct vhd_disk *disk, uint64_t len, uint64_t off, uint64_t *ret_done)
{
    struct vhd_extent extent;

    unsigned side = vhd_grace_enter(&disk->grace);
    struct part part = part_of(disk, len, off);
    const bool is_allocated = part.entry != VHD_UNALLOCATED;
    int err = vhd_extent_at(disk->top, off, part.len, &extent);
    if (err == 0 && extent.is_hole)
        part.len = extent.len;
    else if (err == 0 && is_allocated)
        err = zero_allocated(disk, &part);
    vhd_grace_leave(&disk->grace, side);
    if (err == 0 && !extent.is_hole && !is_allocated) {
        err = vhd_allocate(disk, part.block);
        part.len = 0;
    }
    return done(err, part.len, ret_done);
}
