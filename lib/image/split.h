/* SPDX-License-Identifier: MIT */
/*
 * Split disks. Programs before Virtual Server 2005 spread an image over several files, "x.vhd",
 * "x.v01", "x.v02" and so on; the last ends in the footer. Such a disk does not open, but its fault
 * differs from that of a damaged image.
 *
 * Source: VHD specification 1.0, "Splitting Hard Disk Images".
 */
#pragma once

#include "image/image.h"
#include "store/store.h"

/*
 * Judge whether an image is only the first file of a split disk.
 *
 *   file   the image's file name
 *   image  as read or judged
 *
 * Returns true, with image->fault set to VHD_SPLIT, when the image lacks its footer at the end and
 * the next file is there.
 */
bool vhd_split_judge(const struct vhd_store *store, const char *file, struct vhd_image *image);
