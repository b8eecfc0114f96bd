/* SPDX-License-Identifier: MIT */
/*
 * Writing to a differencing disk. The first write to a subblock makes it present here, so that its
 * parent no longer answers for it. See README.md, "A write".
 */
#pragma once

#include "disk/state.h"

/*
 * Write the start of a range, as far as one step goes.
 *
 *   ret_done  receives the number of bytes written; 0 when the step only prepared the write, and
 *             the caller must call again
 *
 * Returns 0 or a negative errno, as vhd_disk_write().
 */
int vhd_differ_write(struct vhd_disk *disk, const void *buf, size_t len, uint64_t off,
                     size_t *ret_done);

/*
 * Make the start of a range read as zeros, in the same way. The host gets the space back, but the
 * block keeps its slot, because a parent may have data there.
 */
int vhd_differ_zero(struct vhd_disk *disk, uint64_t len, uint64_t off, uint64_t *ret_done);
