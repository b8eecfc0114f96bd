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
