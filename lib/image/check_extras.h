/* SPDX-License-Identifier: MIT */
/*
 * The part of a check that concerns what some images have besides table and blocks: the locators of
 * a parent, and blktap's map of full blocks (batmap).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/header.h"
#include "image/finding.h"
#include "image/image.h"

/* What such an image has inside its file. */
struct vhd_extras {
    /* bytes of the file: each locator's data, the map, and the map's header */
    struct vhd_extra {
        uint64_t at, end;
        char where[24];
    } all[VHD_LOCATORS + 2];
    size_t count;
    uint64_t end; /* of the last of them, in whole sectors; 0 for none */

    bool has_batmap;
    uint8_t *full; /* the map, a bit for each block; NULL for none that can be read */
};

/*
 * Check locators and batmap.
 *
 *   fd      of the image, open for reading
 *   blocks  of the disk
 *   ret     for vhd_extras_free(), after an error too
 *
 * Returns 0, -ECANCELED when the caller has ended the check, or -ENOMEM.
 */
int vhd_check_extras(int fd, const struct vhd_image *image, uint32_t blocks,
                     struct vhd_findings *findings, struct vhd_extras *ret);

/* Does the map call a block full? */
bool vhd_extras_call_full(const struct vhd_extras *extras, uint32_t block);

/* Release what they hold, not the struct. */
void vhd_extras_free(struct vhd_extras *extras);
