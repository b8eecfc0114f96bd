/* SPDX-License-Identifier: MIT */
#include "format/header.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "format/checksum.h"
#include "format/footer.h"

static_assert(sizeof(struct vhd_locator_disk) == 24, "locator entry");
static_assert(sizeof(struct vhd_header_disk) == VHD_HEADER_SIZE, "header is two sectors");
static_assert(offsetof(struct vhd_header_disk, data_offset) == 8, "data offset");
static_assert(offsetof(struct vhd_header_disk, table_offset) == 16, "table offset");
static_assert(offsetof(struct vhd_header_disk, version) == 24, "header version");
static_assert(offsetof(struct vhd_header_disk, max_entries) == 28, "max table entries");
static_assert(offsetof(struct vhd_header_disk, block_size) == 32, "block size");
static_assert(offsetof(struct vhd_header_disk, checksum) == 36, "checksum");
static_assert(offsetof(struct vhd_header_disk, parent_uuid) == 40, "parent unique id");
static_assert(offsetof(struct vhd_header_disk, parent_timestamp) == 56, "parent time stamp");
static_assert(offsetof(struct vhd_header_disk, parent_name) == 64, "parent unicode name");
static_assert(offsetof(struct vhd_header_disk, locators) == 576, "parent locators");
static_assert(offsetof(struct vhd_header_disk, reserved_end) == 768, "reserved");

static const char cookie[8] = {'c', 'x', 's', 'p', 'a', 'r', 's', 'e'};

static uint32_t header_checksum(const struct vhd_header_disk *disk)
{
    return vhd_checksum(disk, sizeof *disk, offsetof(struct vhd_header_disk, checksum));
}

static enum vhd_defect header_judge(const struct vhd_header_disk *disk, struct vhd_fault *fault)
{
    if (memcmp(disk->cookie, cookie, sizeof cookie) != 0)
        return vhd_fault_set(fault, VHD_HEADER_COOKIE, NULL);

    uint32_t stored = be32_get(disk->checksum), sum = header_checksum(disk);
    if (stored != sum)
        return vhd_fault_set(fault, VHD_HEADER_CHECKSUM, "0x%08" PRIX32 ", expected 0x%08" PRIX32,
                             stored, sum);
    if (be32_get(disk->version) != VHD_VERSION_1_0)
        return vhd_fault_set(fault, VHD_HEADER_VERSION, "0x%08" PRIX32, be32_get(disk->version));

    uint32_t block = be32_get(disk->block_size);
    if (block < VHD_SECTOR_SIZE || (block & (block - 1)) != 0)
        return vhd_fault_set(fault, VHD_BLOCK_SIZE, "%" PRIu32, block);
    return VHD_SOUND;
}

static struct vhd_locator locator_decode(const struct vhd_locator_disk *disk)
{
    return (struct vhd_locator){
        .platform = be32_get(disk->platform),
        .data_space = be32_get(disk->data_space),
        .data_length = be32_get(disk->data_length),
        .data_offset = be64_get(disk->data_offset),
    };
}

static struct vhd_locator_disk locator_encode(const struct vhd_locator *locator)
{
    return (struct vhd_locator_disk){
        .platform = be32_of(locator->platform),
        .data_space = be32_of(locator->data_space),
        .data_length = be32_of(locator->data_length),
        .data_offset = be64_of(locator->data_offset),
    };
}

enum vhd_defect vhd_header_decode(const struct vhd_header_disk *disk, struct vhd_header *ret,
                                  struct vhd_fault *ret_fault)
{
    enum vhd_defect defect = header_judge(disk, ret_fault);
    if (defect)
        return defect;
    *ret = (struct vhd_header){
        .table_offset = be64_get(disk->table_offset),
        .max_entries = be32_get(disk->max_entries),
        .block_size = be32_get(disk->block_size),
        .parent_timestamp = be32_get(disk->parent_timestamp),
    };
    uuid_copy(ret->parent_uuid, disk->parent_uuid);
    for (int i = 0; i < VHD_NAME_UNITS; i++)
        ret->parent_name[i] = be16_get(disk->parent_name[i]);
    for (int i = 0; i < VHD_LOCATORS; i++)
        ret->locators[i] = locator_decode(&disk->locators[i]);
    memcpy(ret->reserved_end, disk->reserved_end, sizeof ret->reserved_end);
    return VHD_SOUND;
}

void vhd_header_encode(const struct vhd_header *header, struct vhd_header_disk *ret)
{
    *ret = (struct vhd_header_disk){
        .data_offset = be64_of(VHD_NO_OFFSET),
        .table_offset = be64_of(header->table_offset),
        .version = be32_of(VHD_VERSION_1_0),
        .max_entries = be32_of(header->max_entries),
        .block_size = be32_of(header->block_size),
        .parent_timestamp = be32_of(header->parent_timestamp),
    };
    memcpy(ret->cookie, cookie, sizeof cookie);
    uuid_copy(ret->parent_uuid, header->parent_uuid);
    for (int i = 0; i < VHD_NAME_UNITS; i++)
        ret->parent_name[i] = be16_of(header->parent_name[i]);
    for (int i = 0; i < VHD_LOCATORS; i++)
        ret->locators[i] = locator_encode(&header->locators[i]);
    memcpy(ret->reserved_end, header->reserved_end, sizeof ret->reserved_end);
    ret->checksum = be32_of(header_checksum(ret));
}
