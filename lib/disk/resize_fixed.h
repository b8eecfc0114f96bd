/* SPDX-License-Identifier: MIT */
/*
 * A fixed disk gets another size: the part of resize.h that has no table, and no copy of the footer
 * to fall back on. See README.md, "Resize", for the marked footer.
 */
#pragma once

#include "disk/state.h"

/* Zero the bytes between the disk and its footer, durably. As vhd_disk_make_way(). */
int vhd_fixed_make_way(struct vhd_disk *disk, uint64_t size);

/* Give a fixed disk the size. As vhd_disk_resize(); called with growth_lock held. */
int vhd_fixed_resize(struct vhd_disk *disk, uint64_t size);

/* As vhd_disk_extend() and vhd_disk_retract(); called with growth_lock held. */
int vhd_fixed_extend(struct vhd_disk *disk, uint64_t size);
int vhd_fixed_retract(struct vhd_disk *disk);

/*
 * Repair what an interrupted resize has left: zero the second footer that the mark leads to, then
 * remove the mark. Another disk is not changed.
 *
 * Returns 0; -ESTALE when another program has changed the file; or another negative errno of a call
 * that reads, writes or syncs the image.
 */
int vhd_fixed_recover(struct vhd_disk *disk);
