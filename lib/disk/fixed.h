/* SPDX-License-Identifier: MIT */
/*
 * A disk as a fixed VHD: its flat content, and one footer behind it.
 *
 * That image is a copy, and a child of the disk must not accept it as its parent, so its UUID
 * differs. Each reading must give the same one, so it is not random. It is the name-based UUID
 * (version 5) of "fixed.vhd" in the name space of the disk's UUID. The creation time is the disk's.
 * The creator is ours and the geometry that of the size, because other programs compute the size
 * from both.
 */
#pragma once

#include "disk/disk.h"
#include "format/footer.h"

/* The footer of a disk as a fixed VHD, in its form on disk. It goes at vhd_disk_size(). */
void vhd_disk_fixed_footer(const struct vhd_disk *disk, struct vhd_footer_disk *ret);
