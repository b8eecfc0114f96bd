/* SPDX-License-Identifier: MIT */
#include "format/hop.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "format/checksum.h"

static_assert(sizeof(struct vhd_hop_disk) == VHD_HOP_SIZE, "hop sector");

static const char cookie[8] = {'v', 'h', 'd', 'f', 's', 'h', 'o', 'p'};

enum { VERSION = 1 };

static uint32_t hop_checksum(const struct vhd_hop_disk *disk)
{
    return vhd_checksum(disk, sizeof *disk, offsetof(struct vhd_hop_disk, checksum));
}

void vhd_hop_encode(const struct vhd_hop *hop, struct vhd_hop_disk *ret)
{
    *ret = (struct vhd_hop_disk){
        .version = be32_of(VERSION),
        .header = be64_of(hop->header),
        .locators = be64_of(hop->locators),
        .far_locators = be64_of(hop->far_locators),
        .locators_length = be32_of(hop->length),
    };
    memcpy(ret->cookie, cookie, sizeof cookie);
    uuid_copy(ret->uuid, hop->uuid);
    ret->checksum = be32_of(hop_checksum(ret));
}

bool vhd_hop_decode(const struct vhd_hop_disk *disk, struct vhd_hop *ret)
{
    if (memcmp(disk->cookie, cookie, sizeof cookie) != 0 ||
        be32_get(disk->checksum) != hop_checksum(disk) || be32_get(disk->version) != VERSION)
        return false;
    *ret = (struct vhd_hop){
        .header = be64_get(disk->header),
        .locators = be64_get(disk->locators),
        .far_locators = be64_get(disk->far_locators),
        .length = be32_get(disk->locators_length),
    };
    uuid_copy(ret->uuid, disk->uuid);
    return true;
}
