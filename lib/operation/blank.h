/* SPDX-License-Identifier: MIT */
/*
 * A blank image: a new dynamic or differencing disk without any block.
 */
#pragma once

#include "format/footer.h"
#include "format/locator.h"
#include "format/placement.h"

struct vhd_blank {
    struct vhd_placement placement;
    struct vhd_footer footer;
    struct vhd_header header;
    struct vhd_locators locators; /* of the parent; empty without one */
};

/*
 * Write a blank image into an empty file, in one stretch from byte 0.
 *
 *   fd  open for writing
 *
 * Returns 0, or a negative errno of pwritev(2).
 */
int vhd_blank_write(int fd, const struct vhd_blank *blank);
