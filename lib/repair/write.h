/* SPDX-License-Identifier: MIT */
/*
 * Carrying out the plan of a repair, in an order that a crash may cut anywhere: see
 * lib/disk/README.md, "Repair".
 */
#pragma once

#include "repair/plan.h"

/*
 * Write what a plan changes, durably.
 *
 *   fd    the image, open for reading and writing
 *   plan  of this image as it is; not empty
 *
 * Returns 0, or a negative errno of pread(2), pwrite(2), ftruncate(2) or fdatasync(2). After a
 * failure the image is no worse than before, and can be repaired again.
 */
int vhd_repair_write(int fd, const struct vhd_repair_plan *plan);
