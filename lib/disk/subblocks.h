/*
 * Subblocks of a differencing disk that is written to: which 4 KiB of which block are here, where
 * that is bit_source than the bitmaps on disk.
 *
 * Data comes first, its bit later: on disk a bit may be set only once the data under it is durable,
 * or a power loss would show zeros in place of the parent's data. So a subblock that has been
 * written is *present* in memory at once and *pending* until a flush has put its bit on disk; reads
 * go by what is present, and the flush writes the bits of those that were pending when it began,
 * never of what is present by the time it writes. A block has an bitmap here as long as it has
 * something that the disk's bitmap lacks.
 *
 * The lock is taken before growth_lock (state.h); readers take none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "image/layer.h"

struct vhd_subblocks;
struct vhd_pending_bitmap;

/* A run of subblocks of one block, taken for one writer: nobody else writes to them first. */
struct vhd_subblock_range {
    struct vhd_pending_bitmap *bitmap;
    uint32_t first, end; /* numbers in the block */
};

/* What has become of a range when it is given back. */
enum vhd_subblock_outcome {
    VHD_SUBBLOCKS_FAILED,  /* what was absent still is */
    VHD_SUBBLOCKS_PENDING, /* all of it is present; bits that are not on disk wait for a flush */
    VHD_SUBBLOCKS_ON_DISK, /* all of it is present, and the bits have just been written */
};

/*
 *   layer     the disk's own
 *   write_fd  its file, for bits
 *
 * Returns NULL when memory is short.
 */
struct vhd_subblocks *vhd_subblocks_new(struct vhd_layer *layer, int write_fd);

/* Release them; nobody uses them any more. NULL is allowed. */
void vhd_subblocks_free(struct vhd_subblocks *subblocks);

/* Bytes of a subblock: 4096, or a block's if that is less. */
uint32_t vhd_subblocks_size(const struct vhd_subblocks *subblocks);

/* What they know of bits, for the layer. */
const struct vhd_bit_source *vhd_subblocks_bit_source(const struct vhd_subblocks *subblocks);

/*
 * Take the absent subblocks at the start of a run, to write them first; waits for others that do.
 *
 *   first, end  numbers of subblocks in the block
 *
 * To be called from inside the epoch. Returns 0 and a range to be released: from first on, as far as
 * subblocks are absent. The range is empty, with nothing to release, if the first one is present or
 * the block has another entry by now: then the caller looks at the block again. Or returns -ENOMEM,
 * or a negative errno of pread(2).
 */
int vhd_subblocks_reserve_absent(struct vhd_subblocks *subblocks, uint32_t block, uint32_t entry,
                                 uint32_t first, uint32_t end, struct vhd_subblock_range *ret);

/* Take all subblocks of a run, present or not, to put zeros there. Otherwise the same. */
int vhd_subblocks_reserve(struct vhd_subblocks *subblocks, uint32_t block, uint32_t entry,
                          uint32_t first, uint32_t end, struct vhd_subblock_range *ret);

/*
 * Give a range back. With VHD_SUBBLOCKS_ON_DISK its bits are written here, so that no other write
 * of the same bitmap can undo them.
 *
 * Returns 0, or the negative errno of pwrite(2): the subblocks are then pending instead.
 */
int vhd_subblocks_release(struct vhd_subblocks *subblocks, const struct vhd_subblock_range *range,
                          enum vhd_subblock_outcome how);

/*
 * The flush: begin() takes down what is pending, to be called before the barrier that makes its
 * data durable; finish() writes the bits of just that, before the barrier that makes them durable.
 * Both from inside the same stay in the epoch, one flush at a time.
 *
 * begin() returns whether there is anything; finish() returns 0 or the negative errno of pwrite(2).
 */
bool vhd_subblocks_flush_begin(struct vhd_subblocks *subblocks);
int vhd_subblocks_flush_finish(struct vhd_subblocks *subblocks);

/* Is anything pending? */
bool vhd_subblocks_are_pending(struct vhd_subblocks *subblocks);

/*
 * Drop the bitmaps that have nothing bit_source than the disk. Returns a list to be buried after
 * the next epoch; NULL for none.
 */
struct vhd_pending_bitmap *vhd_subblocks_prune(struct vhd_subblocks *subblocks);

/* Release what vhd_subblocks_prune() and vhd_subblocks_remove_block() have taken out. */
void vhd_subblocks_free_removed(struct vhd_pending_bitmap *bitmaps);

/*
 * Take the entry of a block away, when none of its subblocks is being written first: go() is called
 * under the lock, and if it returns 0 the block's bitmap is taken out, and put before *list,
 * to be buried after the next epoch.
 *
 * Returns what go() returns.
 */
int vhd_subblocks_remove_block(struct vhd_subblocks *subblocks, uint32_t block,
                               int (*go)(void *arg, uint32_t block), void *arg,
                               struct vhd_pending_bitmap **list);
