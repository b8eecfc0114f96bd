/*
 * A disk as the fixed VHD that it could be: its content, flat, and behind it one footer.
 *
 * The identity of that image. It is a copy, which goes its own ways once it is made; whoever is
 * based on the disk must not take the copy for it. So its UUID is another than the disk's; but two
 * readings must not differ, so it is not random: it is the name-based UUID (version 5) of
 * "fixed.vhd" in the name space that the disk's UUID is. The time of creation is the disk's. The
 * creator is ours, and the geometry that of the size, for both decide how large other programs
 * think it is.
 */
#pragma once

#include "disk/disk.h"
#include "format/footer.h"

/* The footer of a disk as a fixed VHD, as it lies on disk; it stands behind vhd_disk_size(). */
void vhd_disk_fixed_footer(const struct vhd_disk *disk, struct vhd_footer_disk *ret);
