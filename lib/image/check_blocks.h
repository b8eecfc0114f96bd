/* SPDX-License-Identifier: MIT */
/*
 * The part of a check behind the header: locators, batmap, table and blocks.
 */
#pragma once

#include "image/finding.h"
#include "image/image.h"

/*
 * Check them.
 *
 *   fd     of the image, open for reading
 *   image  with footer and header; the table is not judged yet
 *
 * Returns 0, -ECANCELED when the caller has ended the check, or -ENOMEM.
 */
int vhd_check_blocks(int fd, const struct vhd_image *image, struct vhd_findings *findings);
