/* SPDX-License-Identifier: MIT */
#include "format/geometry.h"

enum { MAX_CYLINDERS = 65535, MAX_HEADS = 16 };

struct vhd_geometry vhd_geometry_of(uint64_t sectors)
{
    const uint64_t most = (uint64_t)MAX_CYLINDERS * MAX_HEADS * 255;
    uint64_t n = sectors < most ? sectors : most;
    uint64_t spt, heads, tracks; /* tracks: cylinders times heads */

    if (n >= (uint64_t)MAX_CYLINDERS * MAX_HEADS * 63) {
        spt = 255, heads = MAX_HEADS, tracks = n / spt;
    } else {
        spt = 17, tracks = n / spt;
        heads = (tracks + 1023) / 1024;
        if (heads < 4)
            heads = 4;
        if (tracks >= heads * 1024 || heads > MAX_HEADS)
            spt = 31, heads = MAX_HEADS, tracks = n / spt;
        if (tracks >= heads * 1024)
            spt = 63, heads = MAX_HEADS, tracks = n / spt;
    }
    return (struct vhd_geometry){
        .cylinders = (uint16_t)(tracks / heads),
        .heads = (uint8_t)heads,
        .sectors_per_track = (uint8_t)spt,
    };
}
