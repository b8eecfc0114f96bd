/*
 * What is in a slot before it is a block's: zeros, and a bitmap that need not be written again.
 */
#pragma once

#include "disk/state.h"

/*
 * Write the bitmap of a slot: all ones in a dynamic disk, so that it is never written again. In a
 * differencing disk it is zeros; a hole would be too, but then a host that is full by the time of a
 * flush would have no place for the bits of data that it has taken.
 *
 * Returns 0, or the negative errno of pwrite(2).
 */
int vhd_slot_put_bitmap(const struct vhd_disk *disk, uint32_t sector);

/*
 * Zero a slot, and its bitmap where that is to be zero.
 *
 * Returns 0, or a negative errno, as vhd_io_zero().
 */
int vhd_slot_zero(const struct vhd_disk *disk, uint32_t sector);

/* Is the bitmap of what was a block all ones? One that cannot be read is not. */
bool vhd_slot_has_full_bitmap(const struct vhd_disk *disk, uint32_t sector);
