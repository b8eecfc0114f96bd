/* SPDX-License-Identifier: MIT */
/*
 * The master boot record of a disk with one partition, without boot code.
 *
 * Source: Microsoft, "Disk Concepts and Troubleshooting", "Master Boot Record"; UEFI specification
 * 2.10, "Legacy Master Boot Record".
 */
#pragma once

#include <stdint.h>

enum vhd_mbr_type {
    VHD_MBR_FAT32 = 0x0C, /* by sector numbers (LBA) */
    VHD_MBR_FAT16 = 0x0E, /* the same */
};

/* The geometry that both the record's CHS fields and the file system assume. */
#define VHD_MBR_HEADS             255u
#define VHD_MBR_SECTORS_PER_TRACK 63u

/* One of the four entries, as it lies on disk. All numbers are little-endian. */
struct vhd_mbr_entry {
    uint8_t status;
    uint8_t first_chs[3];
    uint8_t type;
    uint8_t last_chs[3];
    uint8_t first[4];
    uint8_t sectors[4];
};

/* As it lies on disk, in sector 0. */
struct vhd_mbr_disk {
    uint8_t code[440];
    uint8_t signature[4]; /* of the disk, by which Windows knows it */
    uint8_t reserved[2];
    struct vhd_mbr_entry entries[4];
    uint8_t magic[2];
};

/*
 * Encode a record with one partition, which is not active.
 *
 *   first, sectors  of the partition; sectors is above 0
 *   signature       of the disk, not 0
 */
void vhd_mbr_encode(enum vhd_mbr_type type, uint32_t first, uint32_t sectors, uint32_t signature,
                    struct vhd_mbr_disk *ret);
