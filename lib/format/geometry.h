/* SPDX-License-Identifier: MIT */
/*
 * The CHS geometry in a footer. It is rounded down and capped, so only the footer's current size
 * gives the size of a disk.
 */
#pragma once

#include <stdint.h>

struct vhd_geometry {
    uint16_t cylinders;
    uint8_t heads;
    uint8_t sectors_per_track;
};

/*
 * The geometry for a disk of this many 512-byte sectors.
 *
 * Source: VHD specification 1.0, "Appendix: CHS Calculation".
 */
struct vhd_geometry vhd_geometry_of(uint64_t sectors);
