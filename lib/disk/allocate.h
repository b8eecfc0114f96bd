/*
 * Blocks get slots, and give them back.
 *
 * Source: durability, "Operations": "first write", "discard, whole block".
 */
#pragma once

#include "disk/state.h"

/*
 * Give a block a slot, unless it has one; its entry is on disk before anybody can use it.
 *
 * Returns 0, -ENOSPC, -EFBIG, -EIO, or another negative errno of pwrite(2) or fdatasync(2).
 */
int vhd_block_allocate(struct vhd_disk *disk, uint32_t block);

/*
 * Take a block's entry away, on disk and in memory. Its slot is no longer used once epoch is over.
 *
 *   ret_sector  receives what the entry was; VHD_UNALLOCATED where there was none
 *
 * Returns 0, or the negative errno of pwrite(2).
 */
int vhd_block_deallocate(struct vhd_disk *disk, uint32_t block, uint32_t *ret_sector);

/*
 * Hand back slots that nobody uses any more: they are zeroed, and ready after the next barrier. One
 * that cannot be zeroed, or that another program has written to in part, is of no use until the
 * image is opened anew, which is no failure.
 */
void vhd_disk_free_slots(struct vhd_disk *disk, const uint32_t *sectors, size_t count);

/* For a test of what must not be done (R5): hand a block's slot back as if it were ready. */
void vhd_disk_recycle_slot(struct vhd_disk *disk, uint32_t block);
