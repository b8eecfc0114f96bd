/* SPDX-License-Identifier: MIT */
/*
 * Converting a disk: the verb writes its content, that of its parents included, to a new image of
 * another type, which then takes the place of the old one.
 *
 *     the image as a draft | rename over the old one | sync of the folder
 *
 * The old image stays whole until then. Identity, owner and permissions stay; of a differencing
 * disk the permissions that its parents' files do not give are lost.
 */
#pragma once

#include "verb/verb.h"

/*
 * A disk that has the type already stays as it is. Outcomes beyond vhd_verb_submit(), in this
 * order:
 *   those of vhd_disk_open_exclusive()
 *   VHD_SIZE_TOO_LARGE  it is larger than 2040 GB
 *   VHD_ACCESS_DENIED, VHD_READ_ONLY  no file can be made in the store, or none with its owner
 *   VHD_FILE_TOO_LARGE, VHD_DISK_FULL  as vhd_admit_length()
 *   VHD_IN_USE          another program has changed the disk, or a parent, meanwhile
 *   another             vhd_result_of_errno() of the host's answer
 *
 * If only the last sync of the folder fails, a crash may leave the old image or the new one.
 *
 * Source: Virtual Server 2005 reference, "IVMHardDisk::Convert"; Hyper-V's Convert-VHD flattens.
 */
extern const struct vhd_verb_ops vhd_convert_ops;
