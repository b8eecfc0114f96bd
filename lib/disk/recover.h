/* SPDX-License-Identifier: MIT */
/*
 * Recovery repairs an image before the first write, and cuts it at close so that the next opening
 * finds nothing to repair.
 *
 * See README.md, "Opening for writing, and recovery". A crash may interrupt each step; the next
 * opening repeats it.
 */
#pragma once

#include "disk/state.h"
#include "image/layout.h"

/*
 * Repair the image of a disk and list its gaps. The caller has judged footer and table, and has
 * synced the file. An image that was closed cleanly is not changed.
 *
 * Returns 0; -ESTALE when another program has changed the file; -ENOMEM; or another negative errno
 * of a call that reads, writes or syncs the image.
 */
int vhd_disk_recover(struct vhd_disk *disk);

/*
 * Cut off the slack behind the last block. Returns 0 or a negative errno, as vhd_disk_recover();
 * -EIO as vhd_confirm_all().
 */
int vhd_disk_cut_slack(struct vhd_disk *disk);

/*
 * List the gaps between blocks that fit a block, the lowest first. The stretch between the table
 * and the first block stays, because other programs may keep something there.
 *
 *   content  the disk's layout
 *
 * Returns 0 or -ENOMEM.
 */
int vhd_disk_find_gaps(const struct vhd_disk *disk, const struct vhd_layout *content,
                       struct vhd_slots *ret);
