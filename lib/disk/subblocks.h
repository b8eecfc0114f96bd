/* SPDX-License-Identifier: MIT */
/*
 * Subblocks of a writable differencing disk: which 4 KiB of a block are present, where memory knows
 * more than the bitmap on disk.
 *
 * A written subblock is *present* in memory at once, and readers see it. It is *pending* until a
 * flush has written its bits. Its data is durable before that: bits without data would show zeros
 * in place of the parent's data after a power loss. So a flush writes only bits that were pending
 * when it began. A block has a pending bitmap here while memory knows more than the disk.
 *
 * The lock of struct vhd_subblocks is taken before growth_lock (state.h). Readers take no lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "image/layer.h"

struct vhd_subblocks;
struct vhd_pending_bitmap;

/* A run of subblocks of one block that one writer has reserved. */
struct vhd_subblock_range {
    struct vhd_pending_bitmap *bitmap;
    uint32_t first, end; /* numbers in the block */
};

/* The outcome of a write to a reserved range. */
enum vhd_subblock_outcome {
    VHD_SUBBLOCKS_FAILED,  /* absent subblocks stay absent */
    VHD_SUBBLOCKS_PENDING, /* all are present; bits that the disk lacks wait for a flush */
    VHD_SUBBLOCKS_ON_DISK, /* all are present, and their bits go to disk now */
};

/*
 * Make the subblocks of a disk.
 *
 *   layer     the disk's top
 *   write_fd  its file, open for writing bits
 *
 * Returns NULL when memory is short.
 */
struct vhd_subblocks *vhd_subblocks_new(struct vhd_layer *layer, int write_fd);

/* Free them, once no thread uses them. NULL is allowed. */
void vhd_subblocks_free(struct vhd_subblocks *subblocks);

/* Bytes of a subblock: 4096, or all of a smaller block. */
uint32_t vhd_subblocks_size(const struct vhd_subblocks *subblocks);

/* Their bit source, for the layer. */
const struct vhd_bit_source *vhd_subblocks_bit_source(const struct vhd_subblocks *subblocks);

/*
 * Reserve the absent subblocks at the start of a run for a first write. Waits until no other writer
 * has them reserved.
 *
 *   entry       of the block, as the caller has loaded it
 *   first, end  numbers of subblocks in the block
 *
 * To be called from inside the epoch. Returns 0 and a range to be released: from first on, as far
 * as subblocks are absent. The range is empty, with nothing to release, if the first one is present
 * or the block has another entry by now: then the caller looks at the block again. Or returns
 * -ENOMEM, or a negative errno of pread(2).
 */
int vhd_subblocks_reserve_absent(struct vhd_subblocks *subblocks, uint32_t block, uint32_t entry,
                                 uint32_t first, uint32_t end, struct vhd_subblock_range *ret);

/* The same for all subblocks of a run, present or not, before zeros go there. */
int vhd_subblocks_reserve(struct vhd_subblocks *subblocks, uint32_t block, uint32_t entry,
                          uint32_t first, uint32_t end, struct vhd_subblock_range *ret);

/*
 * Release a range after the write. VHD_SUBBLOCKS_ON_DISK writes the bits here, under the lock, so
 * that no other write of the same bitmap undoes them.
 *
 * Returns 0, or the negative errno of pwrite(2): then the subblocks are pending instead.
 */
int vhd_subblocks_release(struct vhd_subblocks *subblocks, const struct vhd_subblock_range *range,
                          enum vhd_subblock_outcome how);

/*
 * The two halves of a flush, one flush at a time, within one stay in the epoch. begin() takes a
 * snapshot of the pending subblocks; then a barrier makes their data durable. finish() writes the
 * bits of the snapshot; a second barrier makes them durable.
 *
 * begin() returns false for an empty snapshot. finish() returns 0 or the negative errno of
 * pwrite(2).
 */
bool vhd_subblocks_flush_begin(struct vhd_subblocks *subblocks);
int vhd_subblocks_flush_finish(struct vhd_subblocks *subblocks);

/* Give up a flush between its halves, as the barrier has failed: its subblocks are pending again.
 */
void vhd_subblocks_flush_abandon(struct vhd_subblocks *subblocks);

/* Is any subblock pending? */
bool vhd_subblocks_are_pending(struct vhd_subblocks *subblocks);

/*
 * Remove the bitmaps that know no more than the disk. Returns them as a list to free after the next
 * epoch wait; NULL for none.
 */
struct vhd_pending_bitmap *vhd_subblocks_prune(struct vhd_subblocks *subblocks);

/* Free the bitmaps that vhd_subblocks_prune() and vhd_subblocks_remove_block() have removed. */
void vhd_subblocks_free_removed(struct vhd_pending_bitmap *bitmaps);

/*
 * Remove a block's entry while no subblock of it is reserved. go() runs under the lock. If it
 * returns 0, the block's pending bitmap joins *list, to free after the next epoch wait.
 *
 * Returns the result of go().
 */
int vhd_subblocks_remove_block(struct vhd_subblocks *subblocks, uint32_t block,
                               int (*go)(void *arg, uint32_t block), void *arg,
                               struct vhd_pending_bitmap **list);
