/* SPDX-License-Identifier: MIT */
/*
 * Merging: the content of a differencing disk goes into its parent. What the child holds of a block
 * is combined with what the parent holds, in a new slot of the parent's file. Entries lead to the
 * new slots only at the end, so a caller may give up until then.
 *
 * See lib/disk/README.md, "Merging". For a parent that was opened with VHD_DISK_FOR_MERGE, and
 * whose one child the caller holds. No other thread uses either.
 */
#pragma once

#include "disk/disk.h"
#include "image/layer.h"

struct vhd_merge;

/*
 * Begin.
 *
 *   parent  open for writing
 *   child   its child of the same size, alone, without its parents; stays the caller's
 *
 * Returns 0 and a merge for vhd_merge_free(), or -ENOMEM.
 */
int vhd_merge_new(struct vhd_disk *parent, struct vhd_layer *child, struct vhd_merge **ret);

/*
 * Reserve the space of a fixed parent for all that the child holds, so that its host does not fill
 * up half-way. Other parents get their space from slots.
 *
 * Returns 0, or a negative errno of fallocate(2) or pread(2).
 */
int vhd_merge_reserve(struct vhd_merge *merge);

/*
 * Combine the next block that the child holds something of. In a fixed parent, which has no slots,
 * its sectors are written in place.
 *
 *   ret_done  receives the bytes of the disk that are behind it; the size when no block is left
 *
 * Returns 0, or a negative errno as vhd_disk_write() or vhd_disk_read().
 */
int vhd_merge_step(struct vhd_merge *merge, uint64_t *ret_done);

/*
 * Make all that durable, and let the parent's entries lead to it. The child still holds the same
 * content after any crash; then it may go.
 *
 * Returns 0, or a negative errno as vhd_disk_flush().
 */
int vhd_merge_finish(struct vhd_merge *merge);

/* Release a merge; NULL is allowed. Before vhd_merge_finish() this gives the new slots up. */
void vhd_merge_free(struct vhd_merge *merge);
