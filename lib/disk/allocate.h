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
 * Zero slots that no thread uses any more; they are ready after the next barrier. A slot stays
 * unused until the next opening if it cannot be zeroed, or if another program left clear bits in
 * it. That is no failure.
 */
void vhd_disk_free_slots(struct vhd_disk *disk, const uint32_t *sectors, size_t count);
