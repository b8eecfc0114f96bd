/* SPDX-License-Identifier: MIT */
/*
 * The hop sector: it lies right in front of a dynamic header that is at the far place of a hop, and
 * says where the header and its locators belong. Only this library writes and reads it, and only
 * between two steps of vhd_disk_relink(). See lib/disk/README.md, "Another parent".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uuid/uuid.h>

#include "base/be.h"

#define VHD_HOP_SIZE 512u

/* As it lies on disk. */
struct vhd_hop_disk {
    char cookie[8]; /* "vhdfshop" */
    struct be32 version;
    struct be32 checksum;
    struct be64 header;
    struct be64 locators;
    struct be64 far_locators;
    struct be32 locators_length;
    uuid_t uuid;
    uint8_t reserved[452];
};

/* In host values: byte offsets in the file. */
struct vhd_hop {
    uint64_t header;       /* home of the header */
    uint64_t locators;     /* home of the locators; the far place if they stay there */
    uint64_t far_locators; /* where they are now */
    uint32_t length;       /* of the locators, bytes */
    uuid_t uuid;           /* of the disk */
};

/* Encode a hop sector as it lies on disk: all 512 bytes, with the checksum of these. */
void vhd_hop_encode(const struct vhd_hop *hop, struct vhd_hop_disk *ret);

/* Read a hop sector. Returns false where there is none, or it is damaged. */
bool vhd_hop_decode(const struct vhd_hop_disk *disk, struct vhd_hop *ret);
