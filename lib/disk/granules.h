/*
 * Granules of a differencing disk that is written to: which 4 KiB of which block are here, where
 * that is newer than the bitmaps on disk.
 *
 * Data comes first, its bit later: on disk a bit may be set only once the data under it is durable,
 * or a power loss would show zeros in place of the parent's data. So a granule that has been
 * written is *present* in memory at once and *pending* until a flush has put its bit on disk; reads
 * go by what is present, and the flush writes the bits of those that were pending when it began,
 * never of what is present by the time it writes. A block has an overlay here as long as it has
 * something that the disk's bitmap lacks.
 *
 * The lock is taken before growth_lock (state.h); readers take none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "image/layer.h"

struct vhd_granules;
struct vhd_overlay;

/* A run of granules of one block, taken for one writer: nobody else writes to them first. */
struct vhd_span {
    struct vhd_overlay *overlay;
    uint32_t first, end; /* numbers in the block */
};

/* What has become of a span when it is given back. */
enum vhd_span_end {
    VHD_SPAN_FAILED,  /* what was absent still is */
    VHD_SPAN_PENDING, /* all of it is present; bits that are not on disk wait for a flush */
    VHD_SPAN_ON_DISK, /* all of it is present, and the bits have just been written */
};

/*
 *   layer     the disk's own
 *   write_fd  its file, for bits
 *
 * Returns NULL when memory is short.
 */
struct vhd_granules *vhd_granules_new(struct vhd_layer *layer, int write_fd);

/* Release them; nobody uses them any more. NULL is allowed. */
void vhd_granules_free(struct vhd_granules *granules);

/* Bytes of a granule: 4096, or a block's if that is less. */
uint32_t vhd_granules_size(const struct vhd_granules *granules);

/* What they know of bits, for the layer. */
const struct vhd_newer *vhd_granules_newer(const struct vhd_granules *granules);

/*
 * Take the absent granules at the start of a run, to write them first; waits for others that do.
 *
 *   first, end  numbers of granules in the block
 *
 * To be called from inside the grace. Returns 0 and a span to be given back: from first on, as far
 * as granules are absent. Or -EAGAIN: the first one is present, or the block has another entry by
 * now. Or -ENOMEM, or a negative errno of pread(2).
 */
int vhd_granules_take_absent(struct vhd_granules *granules, uint32_t block, uint32_t entry,
                             uint32_t first, uint32_t end, struct vhd_span *ret);

/* Take all granules of a run, present or not, to put zeros there. Otherwise the same. */
int vhd_granules_take(struct vhd_granules *granules, uint32_t block, uint32_t entry, uint32_t first,
                      uint32_t end, struct vhd_span *ret);

/*
 * Give a span back. With VHD_SPAN_ON_DISK its bits are written here, so that no other write of the
 * same bitmap can undo them.
 *
 * Returns 0, or the negative errno of pwrite(2): the granules are then pending instead.
 */
int vhd_granules_give_back(struct vhd_granules *granules, const struct vhd_span *span,
                           enum vhd_span_end how);

/*
 * The flush: begin() takes down what is pending, to be called before the barrier that makes its
 * data durable; finish() writes the bits of just that, before the barrier that makes them durable.
 * Both from inside the same stay in the grace, one flush at a time.
 *
 * begin() returns whether there is anything; finish() returns 0 or the negative errno of pwrite(2).
 */
bool vhd_granules_flush_begin(struct vhd_granules *granules);
int vhd_granules_flush_finish(struct vhd_granules *granules);

/* Is anything pending? */
bool vhd_granules_are_pending(struct vhd_granules *granules);

/*
 * Drop the overlays that have nothing newer than the disk. Returns a list to be buried after the
 * next grace; NULL for none.
 */
struct vhd_overlay *vhd_granules_prune(struct vhd_granules *granules);

/* Release what vhd_granules_prune() and vhd_granules_retire() have taken out. */
void vhd_granules_bury(struct vhd_overlay *overlays);

/*
 * Take the entry of a block away, when none of its granules is being written first: go() is called
 * under the lock, and if it returns 0 the block's overlay is taken out, and put before *list, to be
 * buried after the next grace.
 *
 * Returns what go() returns.
 */
int vhd_granules_retire(struct vhd_granules *granules, uint32_t block,
                        int (*go)(void *arg, uint32_t block), void *arg, struct vhd_overlay **list);
