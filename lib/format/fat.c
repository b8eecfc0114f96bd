/* SPDX-License-Identifier: MIT */
#include "format/fat.h"

#include <stdio.h>

#define SECTOR UINT64_C(512)

/*
 * The most clusters of a FAT16, which has 65,524 at most. Some drivers miscount near the limits of
 * a type, so Microsoft advises to stay 16 away.
 */
#define FAT16_CLUSTERS_MAX 65508u

/* The longest partition of a FAT32 with clusters of 4 KiB, in sectors: 8 GiB. */
#define FAT32_SMALL_CLUSTERS ((UINT64_C(8) << 30) / SECTOR)

/* The largest clusters that every system reads. */
#define CLUSTER_SECTORS_MAX 64u

struct vhd_fat vhd_fat_of(uint32_t bits, uint64_t size, const char *label)
{
    const uint64_t sectors = size / SECTOR - VHD_FAT_FIRST_SECTOR;
    uint64_t longest = bits == 16 ? FAT16_CLUSTERS_MAX : FAT32_SMALL_CLUSTERS;
    struct vhd_fat fat = {
        .bits = bits,
        .cluster_sectors = bits == 16 ? 1 : 8,
        .sectors = (uint32_t)sectors,
    };

    for (; sectors > longest && fat.cluster_sectors < CLUSTER_SECTORS_MAX; longest *= 2)
        fat.cluster_sectors *= 2;
    snprintf(fat.label, sizeof fat.label, "%s", label);
    return fat;
}

uint64_t vhd_fat_written(const struct vhd_fat *fat)
{
    /* Boot sectors, the root directory and padding. */
    const uint64_t rest = UINT64_C(256) << 10;
    const uint64_t clusters = fat->sectors / fat->cluster_sectors;

    return 2 * clusters * fat->bits / 8 + rest;
}
