/* SPDX-License-Identifier: MIT */
/*
 * A block gets a slot, or loses it. See README.md, "A write" and "A discard".
 */
#pragma once

#include "disk/state.h"

/*
 * Give a block a slot, unless it has one. The entry is on disk before any thread can use it.
 *
 * Returns 0, -ENOSPC, -EFBIG, -EIO, -ENOMEM, or another negative errno of fstat(2), pread(2),
 * pwrite(2) or fdatasync(2).
 */
int vhd_block_allocate(struct vhd_disk *disk, uint32_t block);

/*
 * Remove a block's entry, on disk and in memory. No thread uses its slot after an epoch wait.
 *
 *   ret_sector  receives the removed entry; VHD_UNALLOCATED where there was none
 *
 * Returns 0, or the negative errno of pwrite(2).
 */
int vhd_block_deallocate(struct vhd_disk *disk, uint32_t block, uint32_t *ret_sector);

/*
 * Change a block's entry on disk, then in memory. After a failed write it may be on disk or not.
 * Call it with growth_lock held.
 *
 *   is_full  the bitmap of its slot is known to be all ones
 *
 * Returns 0, or the negative errno of pwrite(2).
 */
int vhd_block_put_entry(struct vhd_disk *disk, uint32_t block, uint32_t sector, bool is_full);

/*
 * Let a block's entry lead to a durable copy of its slot, in a dynamic disk with all bits set. No
 * other thread uses the disk.
 *
 * Returns 0, or the negative errno of pwrite(2).
 */
int vhd_block_move(struct vhd_disk *disk, uint32_t block, uint32_t sector);

/*
 * May a block leave the table? Not if a parent's data would then show. Not in an image with a
 * batmap either: the map calls a block full, and would call its successor full.
 *
 * Returns 1 or 0, or a negative errno of pread(2).
 */
int vhd_block_may_leave(const struct vhd_disk *disk, uint32_t block);

/*
 * Zero slots that no thread uses any more; they are ready after the next barrier. A slot stays
 * unused until the next opening if it cannot be zeroed, or if another program left clear bits in
 * it. That is no failure.
 */
void vhd_disk_free_slots(struct vhd_disk *disk, const uint32_t *sectors, size_t count);
