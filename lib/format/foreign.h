/*
 * Images of other formats, told by their first bytes: what a file is that is named ".vhd" and has
 * no VHD footer.
 */
#pragma once

#include "format/defect.h"

/*
 * Tell what a file without a VHD footer is.
 *
 *   fd         open for reading
 *   ret_fault  receives VHD_FOREIGN and a sentence with the format's name; untouched where nothing
 *              is recognised, or the file cannot be read
 *
 * Returns VHD_FOREIGN, or VHD_SOUND where nothing is recognised.
 */
enum vhd_defect vhd_foreign_judge(int fd, struct vhd_fault *ret_fault);
