/* SPDX-License-Identifier: MIT */
/*
 * Images of other formats. Their first bytes tell the format of a file that is named ".vhd" and has
 * no VHD footer.
 */
#pragma once

#include "format/defect.h"

/*
 * Recognise a file without a VHD footer.
 *
 *   fd         open for reading
 *   ret_fault  receives VHD_FOREIGN and a sentence with the format's name; else untouched
 *
 * Returns VHD_FOREIGN, or VHD_SOUND if the format is unknown or the file cannot be read.
 */
enum vhd_defect vhd_foreign_judge(int fd, struct vhd_fault *ret_fault);
