/*
 * Writing to a differencing disk: the first write to a subblock, which decides that it is here from
 * now on and no longer in the parent.
 *
 * Source: durability, "Differencing".
 */
#pragma once

#include "disk/state.h"

/*
 * Write the start of a range, as far as it can be done in one go.
 *
 *   ret_done  receives how many bytes have been written; 0 when something had to be done first and
 *             the call is to be repeated
 *
 * Returns 0 or a negative errno, as vhd_disk_write().
 */
int vhd_differ_write(struct vhd_disk *disk, const void *buf, size_t len, uint64_t off,
                     size_t *ret_done);

/*
 * Have the start of a range read as zeros, in the same way. Its space is given back to the host,
 * but the block stays: what is zero here may be data in the parent.
 */
int vhd_differ_zero(struct vhd_disk *disk, uint64_t len, uint64_t off, uint64_t *ret_done);
