/* SPDX-License-Identifier: MIT */
/*
 * The dynamic disk header: 1024 bytes with the place of the block allocation table and, in a
 * differencing disk, the parent.
 *
 * Source: VHD specification 1.0, "Dynamic Disk Header Format".
 */
#pragma once

#include <stdint.h>
#include <uuid/uuid.h>

#include "base/be.h"
#include "format/defect.h"

#define VHD_HEADER_SIZE   1024u
#define VHD_BLOCK_DEFAULT 0x00200000u /* 2 MiB: the one size that every reader supports */
#define VHD_LOCATORS      8
#define VHD_NAME_UNITS    256 /* UTF-16 units of the parent's name */

/* The place of one form of the parent's path. */
struct vhd_locator_disk {
    struct be32 platform;
    struct be32 data_space;
    struct be32 data_length;
    struct be32 reserved;
    struct be64 data_offset;
};

/* As it lies on disk. */
struct vhd_header_disk {
    char cookie[8];
    struct be64 data_offset;
    struct be64 table_offset;
    struct be32 version;
    struct be32 max_entries;
    struct be32 block_size;
    struct be32 checksum;
    uuid_t parent_uuid;
    struct be32 parent_timestamp;
    struct be32 reserved;
    struct be16 parent_name[VHD_NAME_UNITS];
    struct vhd_locator_disk locators[VHD_LOCATORS];
    uint8_t reserved_end[256];
};

struct vhd_locator {
    uint32_t platform;    /* four characters as a number; 0 if unused */
    uint32_t data_space;  /* sectors in the specification, bytes in practice */
    uint32_t data_length; /* bytes */
    uint64_t data_offset; /* byte offset in the file */
};

/* In host values. Reserved bytes are kept, so a header that is written again loses nothing. */
struct vhd_header {
    uint64_t table_offset; /* byte offset of the block allocation table */
    uint32_t max_entries;  /* of that table */
    uint32_t block_size;   /* bytes of data in a block, without its bitmap */
    uuid_t parent_uuid;
    uint32_t parent_timestamp;            /* seconds since VHD_EPOCH */
    uint16_t parent_name[VHD_NAME_UNITS]; /* UTF-16; zero units after the name */
    struct vhd_locator locators[VHD_LOCATORS];
    uint8_t reserved_end[256];
};

/*
 * Read a header.
 *
 * Returns VHD_SOUND. Otherwise *ret is untouched, *ret_fault has the figures, and the defect is:
 *   VHD_HEADER_COOKIE    the cookie is not "cxsparse"
 *   VHD_HEADER_CHECKSUM  the stored checksum differs from the sum of the bytes
 *   VHD_HEADER_VERSION   not 1.0
 *   VHD_BLOCK_SIZE       no power of two, or below 512 bytes
 */
enum vhd_defect vhd_header_decode(const struct vhd_header_disk *disk, struct vhd_header *ret,
                                  struct vhd_fault *ret_fault);

/* Encode a header as it lies on disk: all 1024 bytes, with the checksum of these. */
void vhd_header_encode(const struct vhd_header *header, struct vhd_header_disk *ret);
