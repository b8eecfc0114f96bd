/* SPDX-License-Identifier: MIT */
/*
 * The hard disk footer: 512 bytes at the end of every image. A dynamic or differencing image begins
 * with a copy.
 *
 * Source: VHD specification 1.0, "Hard Disk Footer Format".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uuid/uuid.h>

#include "base/be.h"
#include "format/defect.h"
#include "format/geometry.h"

#define VHD_SECTOR_SIZE        512u
#define VHD_FOOTER_SIZE        512u
#define VHD_HEADER_OFFSET      512u /* "data offset" of a new image */
#define VHD_VERSION_1_0        0x00010000u
#define VHD_NO_OFFSET          UINT64_MAX  /* "data offset" where nothing follows */
#define VHD_HOST_WINDOWS       0x5769326Bu /* "Wi2k" */
#define VHD_FEATURES_NONE      0x00000002u /* the reserved bit, which is always set */
#define VHD_FEATURES_TEMPORARY 0x00000001u

/* Seconds from the Unix epoch to 2000-01-01 00:00 UTC, where VHD time stamps begin. */
#define VHD_EPOCH INT64_C(946684800)

enum vhd_disk_type {
    VHD_TYPE_FIXED = 2,
    VHD_TYPE_DYNAMIC = 3,
    VHD_TYPE_DIFFERENCING = 4,
};

/* As it lies on disk. */
struct vhd_footer_disk {
    char cookie[8];
    struct be32 features;
    struct be32 version;
    struct be64 data_offset;
    struct be32 timestamp;
    char creator_app[4];
    struct be32 creator_version;
    struct be32 creator_host;
    struct be64 original_size;
    struct be64 current_size;
    struct be16 cylinders;
    uint8_t heads;
    uint8_t sectors_per_track;
    struct be32 type;
    struct be32 checksum;
    uuid_t uuid;
    uint8_t saved_state;
    uint8_t reserved[427];
};

/* In host values. Reserved bytes are kept, so a footer that is written again loses nothing. */
struct vhd_footer {
    uint32_t features;
    uint64_t data_offset; /* byte offset of the dynamic header; VHD_NO_OFFSET if fixed */
    uint32_t timestamp;   /* creation, seconds since VHD_EPOCH */
    char creator_app[4];  /* not terminated */
    uint32_t creator_version;
    uint32_t creator_host;
    uint64_t original_size; /* bytes, at creation */
    uint64_t current_size;  /* bytes, now */
    struct vhd_geometry geometry;
    enum vhd_disk_type type;
    uuid_t uuid;
    uint8_t saved_state;
    bool is_disabled; /* by blktap: the cookie is "v_poison" */
    uint8_t reserved[427];
};

/*
 * The footer of a new image, except its UUID. Original and current size are the same.
 *
 *   size       bytes of the disk
 *   timestamp  its creation, seconds since VHD_EPOCH
 */
struct vhd_footer vhd_footer_of(enum vhd_disk_type type, uint64_t size, uint32_t timestamp);

/*
 * Read a footer. It may be disabled by blktap, or hidden by an early tapdisk without a new
 * checksum.
 *
 * Returns VHD_SOUND. Otherwise *ret is untouched, *ret_fault has the figures, and the defect is:
 *   VHD_FOOTER_MISSING   the cookie is neither "conectix" nor "v_poison"
 *   VHD_FOOTER_CHECKSUM  the stored checksum differs from the sum of the bytes
 *   VHD_FOOTER_VERSION   not 1.0
 *   VHD_FOOTER_TYPE      neither fixed, dynamic nor differencing
 *   VHD_FOOTER_CURRENT_SIZE  0 or no multiple of 512 bytes
 */
enum vhd_defect vhd_footer_decode(const struct vhd_footer_disk *disk, struct vhd_footer *ret,
                                  struct vhd_fault *ret_fault);

/*
 * The same footer without values that the specification forbids, or that a strict reader refuses:
 * features, state and reserved bytes, a data offset of a fixed disk, an original size that differs
 * from the current one, and a geometry above the one for the size. A byte by which blktap hides a
 * disk stays.
 */
struct vhd_footer vhd_footer_strict(const struct vhd_footer *footer);

/* Encode a footer as it lies on disk: all 512 bytes, with the checksum of these. */
void vhd_footer_encode(const struct vhd_footer *footer, struct vhd_footer_disk *ret);
