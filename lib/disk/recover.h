/*
 * Recovery: what is done to an image before it is written to, so that whatever a crash has left is
 * in order; and leaving it so that nothing will be to do.
 *
 * Source: durability, "Open for writing (recovery)". Each step may be cut off and done again.
 */
#pragma once

#include "disk/state.h"

/*
 * Put the image of a disk in order and see what slots it has. Its footer and table have been judged
 * and its unsynced writes made durable. One that was closed cleanly is not changed.
 *
 * Returns 0, -ENOMEM, or the negative errno of a call that reads, writes or syncs the image.
 */
int vhd_disk_recover(struct vhd_disk *disk);

/* Cut off what stands behind the last block. Returns 0 or a negative errno in the same way. */
int vhd_disk_cut_slack(struct vhd_disk *disk);
