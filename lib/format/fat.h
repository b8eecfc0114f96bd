/* SPDX-License-Identifier: MIT */
/*
 * FAT file systems, as far as a disk that is made with one needs them: the limits, and the choice
 * of the cluster size. mkfs.fat writes the file system itself.
 *
 * Source: Microsoft, "FAT: General Overview of On-Disk Format", version 1.03, "FAT Type
 * Determination" and "FAT Volume Initialization".
 */
#pragma once

#include <stdint.h>

/* The only partition begins at 1 MiB, in sectors. */
#define VHD_FAT_FIRST_SECTOR 2048u

/* Bytes of a label. */
#define VHD_FAT_LABEL_MAX 11

/*
 * Limits of the whole disk in bytes, both allowed. The smallest partition that mkfs.fat 4.2 makes a
 * FAT16 with one sector a cluster on has 66 tracks of 63 sectors, thus 4093 clusters. With fewer
 * than 4085 clusters it would be read as FAT12. The other two are those of Virtual Server.
 */
#define VHD_FAT16_SIZE_MIN ((UINT64_C(66) * 63 + VHD_FAT_FIRST_SECTOR) * 512)
#define VHD_FAT16_SIZE_MAX (UINT64_C(1999) << 20)
#define VHD_FAT32_SIZE_MIN (UINT64_C(514) << 20)

/* A file system that mkfs.fat will make. */
struct vhd_fat {
    uint32_t bits;            /* of an entry of its tables: 16 or 32 */
    uint32_t cluster_sectors; /* a power of two, 1 to 64 */
    uint32_t sectors;         /* of the partition, from VHD_FAT_FIRST_SECTOR to the disk's end */
    char label[VHD_FAT_LABEL_MAX + 1]; /* empty for none */
};

/*
 * Plan the file system of a disk. The number of its clusters is far inside the range of its type,
 * but for the smallest FAT16. The cluster sizes are those of Windows, but at most 32 KiB.
 *
 *   bits   16 or 32
 *   size   bytes of the disk, within the limits above and at most 2040 GiB
 *   label  at most VHD_FAT_LABEL_MAX bytes
 */
struct vhd_fat vhd_fat_of(uint32_t bits, uint64_t size, const char *label);

/* About how many bytes mkfs.fat writes: both tables, and a little more. */
uint64_t vhd_fat_written(const struct vhd_fat *fat);
