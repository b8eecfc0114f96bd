/*
 * Split disks: programs before Virtual Server 2005 spread an image over several files, "x.vhd",
 * "x.v01", "x.v02" and so on, the last of which ends in the footer. Such a disk is not opened here,
 * but told from one that is merely damaged.
 *
 * Source: VHD specification 1.0, "Splitting Hard Disk Images".
 */
#pragma once

#include "image/image.h"
#include "store/store.h"

/*
 * See whether an image is only the first file of a disk.
 *
 *   file   the image's file name
 *   image  as it was read or judged
 *
 * Returns true when it lacks its footer at the end and the next file is there: image->fault is
 * then VHD_SPLIT.
 */
bool vhd_split_judge(const struct vhd_store *store, const char *file, struct vhd_image *image);
