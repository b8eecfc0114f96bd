/* SPDX-License-Identifier: MIT */
/*
 * Resizing a disk: the verb gives a dynamic or fixed disk another size, in place. The content
 * stays, and the new part of a larger disk reads as zeros.
 */
#pragma once

#include "verb/verb.h"

/*
 * A disk that has the size already stays as it is. Outcomes beyond vhd_verb_submit(), in this
 * order: those of vhd_disk_open_exclusive() VHD_SIZE_TOO_LARGE  the image's blocks are too small
 * for it VHD_WRONG_TYPE      another program has put something behind the table, so that cannot
 * grow; or the footer of a fixed disk lies off a sector VHD_SIZE_TOO_SMALL  the disk has data
 * beyond the size; the sentence has the smallest one VHD_FILE_TOO_LARGE  as vhd_admit_length()
 *   VHD_DISK_FULL       the new part of a fixed disk, or the table, does not fit
 *   VHD_IN_USE          another program has changed the disk meanwhile
 *   another             vhd_result_of_errno() of the host's answer
 *
 * A cancel, or a failure before the task commits, leaves size and content as they were. The image
 * may lack blocks of zeros then. After a failure of the few last writes the disk has the old size
 * or the new one when it is opened again.
 */
extern const struct vhd_verb_ops vhd_resize_ops;
