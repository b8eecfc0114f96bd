/* SPDX-License-Identifier: MIT */
/*
 * A blank image: the metadata of a new disk of any type, before it has content.
 */
#pragma once

#include "format/footer.h"
#include "format/locator.h"
#include "format/placement.h"

struct vhd_blank {
    struct vhd_footer footer;

    /* of a dynamic or differencing disk */
    struct vhd_placement placement;
    struct vhd_header header;
    struct vhd_locators locators; /* of the parent; empty without one */
};

/*
 * Lay out a blank image.
 *
 *   size      bytes of the disk
 *   uuid      its identity
 *   locators  of a differencing disk; NULL for none. The parent's identity is not recorded yet
 */
struct vhd_blank vhd_blank_of(enum vhd_disk_type type, uint64_t size, const uuid_t uuid,
                              const struct vhd_locators *locators);

/* The length of the file when every block is allocated. */
uint64_t vhd_blank_full_length(const struct vhd_blank *blank);

/*
 * Write a blank image of a dynamic or differencing disk into an empty file, in one stretch.
 *
 *   fd  open for writing
 *
 * Returns 0, or a negative errno of pwritev(2).
 */
int vhd_blank_write(int fd, const struct vhd_blank *blank);
