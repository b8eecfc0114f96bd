/* SPDX-License-Identifier: MIT */
/*
 * The content of a slot: before a block gets it, zeros and a bitmap that needs no further write;
 * and what a copy of a block's slot holds.
 */
#pragma once

#include "disk/state.h"

/*
 * Write the bitmap of a slot. In a dynamic disk it is all ones, so it is never written again. In a
 * differencing disk it is zeros: with a hole, a host that fills up later would have no place for
 * bits.
 *
 *   sector  of the slot
 *
 * Returns 0, or the negative errno of pwrite(2).
 */
int vhd_slot_put_bitmap(const struct vhd_disk *disk, uint32_t sector);

/*
 * Zero the data of a slot, and in a differencing disk its bitmap.
 *
 * Returns 0, or a negative errno, as vhd_io_zero().
 */
int vhd_slot_zero(const struct vhd_disk *disk, uint32_t sector);

/* Is the bitmap of a former block all ones? An unreadable bitmap is not. */
bool vhd_slot_has_full_bitmap(const struct vhd_disk *disk, uint32_t sector);

/*
 * Read what a copy of a block's slot holds: bitmap, then data. Of a dynamic disk that is the
 * block's content with all bits set, because unknown data may lie under clear bits of another
 * program. Of a differencing disk it is the slot as it is. A block without a slot has zeros, and no
 * bit set in a differencing disk.
 *
 *   buf  receives a slot
 *
 * No other thread writes to the disk. Returns 0, or a negative errno of pread(2).
 */
int vhd_slot_read(struct vhd_disk *disk, uint32_t block, uint8_t *buf);
