/* SPDX-License-Identifier: MIT */
#include "format/mbr.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static_assert(sizeof(struct vhd_mbr_disk) == 512, "size of a sector");
static_assert(offsetof(struct vhd_mbr_disk, signature) == 440, "place of the signature");
static_assert(offsetof(struct vhd_mbr_disk, entries) == 446, "place of the entries");

static void put_le32(uint8_t to[4], uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

/* The cylinder, head and sector of a sector; the last ones that fit, where it lies beyond them. */
static void put_chs(uint8_t to[3], uint64_t sector)
{
    const unsigned per_cylinder = VHD_MBR_HEADS * VHD_MBR_SECTORS_PER_TRACK;
    uint64_t cylinder = sector / per_cylinder;
    uint64_t head = sector % per_cylinder / VHD_MBR_SECTORS_PER_TRACK;
    uint64_t number = sector % VHD_MBR_SECTORS_PER_TRACK + 1; /* they count from 1 */

    if (cylinder > 1023)
        cylinder = 1023, head = VHD_MBR_HEADS - 1, number = VHD_MBR_SECTORS_PER_TRACK;
    to[0] = (uint8_t)head;
    to[1] = (uint8_t)(number | (cylinder >> 2 & 0xC0));
    to[2] = (uint8_t)cylinder;
}

void vhd_mbr_encode(enum vhd_mbr_type type, uint32_t first, uint32_t sectors, uint32_t signature,
                    struct vhd_mbr_disk *ret)
{
    struct vhd_mbr_entry *entry = &ret->entries[0];

    *ret = (struct vhd_mbr_disk){.magic = {0x55, 0xAA}};
    put_le32(ret->signature, signature);
    entry->type = (uint8_t)type;
    put_chs(entry->first_chs, first);
    put_chs(entry->last_chs, (uint64_t)first + sectors - 1);
    put_le32(entry->first, first);
    put_le32(entry->sectors, sectors);
}
