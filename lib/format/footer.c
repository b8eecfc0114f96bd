/* SPDX-License-Identifier: MIT */
#include "format/footer.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "format/checksum.h"

/*
 * The creator. QEMU before 10.0 reads the size from footers of some creators only, "win " among
 * them. For others it rounds to the geometry: 4096 MB would lose 32 sectors.
 */
#define CREATOR_APP     "win "
#define CREATOR_VERSION 0x000A0000u

static_assert(sizeof(struct vhd_footer_disk) == VHD_FOOTER_SIZE, "footer is one sector");
static_assert(offsetof(struct vhd_footer_disk, features) == 8, "features");
static_assert(offsetof(struct vhd_footer_disk, version) == 12, "format version");
static_assert(offsetof(struct vhd_footer_disk, data_offset) == 16, "data offset");
static_assert(offsetof(struct vhd_footer_disk, timestamp) == 24, "time stamp");
static_assert(offsetof(struct vhd_footer_disk, creator_app) == 28, "creator application");
static_assert(offsetof(struct vhd_footer_disk, creator_version) == 32, "creator version");
static_assert(offsetof(struct vhd_footer_disk, creator_host) == 36, "creator host OS");
static_assert(offsetof(struct vhd_footer_disk, original_size) == 40, "original size");
static_assert(offsetof(struct vhd_footer_disk, current_size) == 48, "current size");
static_assert(offsetof(struct vhd_footer_disk, cylinders) == 56, "geometry");
static_assert(offsetof(struct vhd_footer_disk, type) == 60, "disk type");
static_assert(offsetof(struct vhd_footer_disk, checksum) == 64, "checksum");
static_assert(offsetof(struct vhd_footer_disk, uuid) == 68, "unique id");
static_assert(offsetof(struct vhd_footer_disk, saved_state) == 84, "saved state");
static_assert(offsetof(struct vhd_footer_disk, reserved) == 85, "reserved");

static const char cookie[8] = {'c', 'o', 'n', 'e', 'c', 't', 'i', 'x'};
static const char cookie_disabled[8] = {'v', '_', 'p', 'o', 'i', 's', 'o', 'n'};

struct vhd_footer vhd_footer_of(enum vhd_disk_type type, uint64_t size, uint32_t timestamp)
{
    struct vhd_footer footer = {
        .features = VHD_FEATURES_NONE,
        .data_offset = type == VHD_TYPE_FIXED ? VHD_NO_OFFSET : VHD_HEADER_OFFSET,
        .timestamp = timestamp,
        .creator_version = CREATOR_VERSION,
        .creator_host = VHD_HOST_WINDOWS,
        .original_size = size,
        .current_size = size,
        .geometry = vhd_geometry_of(size / VHD_SECTOR_SIZE),
        .type = type,
    };
    memcpy(footer.creator_app, CREATOR_APP, sizeof footer.creator_app);
    return footer;
}

static uint32_t footer_checksum(const struct vhd_footer_disk *disk)
{
    return vhd_checksum(disk, sizeof *disk, offsetof(struct vhd_footer_disk, checksum));
}

static bool is_disabled(const struct vhd_footer_disk *disk)
{
    return memcmp(disk->cookie, cookie_disabled, sizeof cookie_disabled) == 0;
}

/*
 * Early tapdisks hid a disk by setting the first reserved byte, without a new checksum.
 *
 * Source: blktap, vhd/lib/libvhd.c, vhd_validate_footer().
 */
static bool was_hidden_afterwards(const struct vhd_footer_disk *disk)
{
    const uint32_t version = be32_get(disk->creator_version);
    struct vhd_footer_disk shown = *disk;

    shown.reserved[0] = 0;
    return memcmp(disk->creator_app, "tap", 3) == 0 &&
           (version == 0x00000001 || version == 0x00010001) &&
           footer_checksum(&shown) == be32_get(disk->checksum);
}

static enum vhd_defect footer_judge(const struct vhd_footer_disk *disk, struct vhd_fault *fault)
{
    if (memcmp(disk->cookie, cookie, sizeof cookie) != 0 && !is_disabled(disk))
        return vhd_fault_set(fault, VHD_FOOTER_MISSING, NULL);

    uint32_t stored = be32_get(disk->checksum), sum = footer_checksum(disk);
    if (stored != sum && !was_hidden_afterwards(disk))
        return vhd_fault_set(fault, VHD_FOOTER_CHECKSUM, "0x%08" PRIX32 ", expected 0x%08" PRIX32,
                             stored, sum);
    if (be32_get(disk->version) != VHD_VERSION_1_0)
        return vhd_fault_set(fault, VHD_FOOTER_VERSION, "0x%08" PRIX32, be32_get(disk->version));

    uint32_t type = be32_get(disk->type);
    if (type != VHD_TYPE_FIXED && type != VHD_TYPE_DYNAMIC && type != VHD_TYPE_DIFFERENCING)
        return vhd_fault_set(fault, VHD_FOOTER_TYPE, "%" PRIu32, type);

    uint64_t size = be64_get(disk->current_size);
    if (size == 0 || size % VHD_SECTOR_SIZE != 0)
        return vhd_fault_set(fault, VHD_FOOTER_CURRENT_SIZE, "%" PRIu64 " bytes", size);
    return VHD_SOUND;
}

enum vhd_defect vhd_footer_decode(const struct vhd_footer_disk *disk, struct vhd_footer *ret,
                                  struct vhd_fault *ret_fault)
{
    enum vhd_defect defect = footer_judge(disk, ret_fault);
    if (defect)
        return defect;
    *ret = (struct vhd_footer){
        .features = be32_get(disk->features),
        .data_offset = be64_get(disk->data_offset),
        .timestamp = be32_get(disk->timestamp),
        .creator_version = be32_get(disk->creator_version),
        .creator_host = be32_get(disk->creator_host),
        .original_size = be64_get(disk->original_size),
        .current_size = be64_get(disk->current_size),
        .geometry = {be16_get(disk->cylinders), disk->heads, disk->sectors_per_track},
        .type = (enum vhd_disk_type)be32_get(disk->type),
        .saved_state = disk->saved_state,
        .is_disabled = is_disabled(disk),
    };
    memcpy(ret->creator_app, disk->creator_app, sizeof ret->creator_app);
    uuid_copy(ret->uuid, disk->uuid);
    memcpy(ret->reserved, disk->reserved, sizeof ret->reserved);
    return VHD_SOUND;
}

/* A geometry as a number, in the order in which vhd-util compares them. */
static uint32_t packed(struct vhd_geometry geometry)
{
    return (uint32_t)geometry.cylinders << 16 | (uint32_t)geometry.heads << 8 |
           geometry.sectors_per_track;
}

struct vhd_footer vhd_footer_strict(const struct vhd_footer *footer)
{
    const struct vhd_geometry geometry = vhd_geometry_of(footer->current_size / VHD_SECTOR_SIZE);
    const bool is_hidden = footer->reserved[0] == 1 && memcmp(footer->creator_app, "tap", 3) == 0;
    struct vhd_footer strict = *footer;

    strict.features = (footer->features & VHD_FEATURES_TEMPORARY) | VHD_FEATURES_NONE;
    if (footer->type == VHD_TYPE_FIXED)
        strict.data_offset = VHD_NO_OFFSET;
    strict.original_size = footer->current_size;
    if (packed(footer->geometry) > packed(geometry))
        strict.geometry = geometry;
    strict.saved_state = footer->saved_state > 0;
    memset(strict.reserved, 0, sizeof strict.reserved);
    strict.reserved[0] = is_hidden;
    return strict;
}

void vhd_footer_encode(const struct vhd_footer *footer, struct vhd_footer_disk *ret)
{
    *ret = (struct vhd_footer_disk){
        .features = be32_of(footer->features),
        .version = be32_of(VHD_VERSION_1_0),
        .data_offset = be64_of(footer->data_offset),
        .timestamp = be32_of(footer->timestamp),
        .creator_version = be32_of(footer->creator_version),
        .creator_host = be32_of(footer->creator_host),
        .original_size = be64_of(footer->original_size),
        .current_size = be64_of(footer->current_size),
        .cylinders = be16_of(footer->geometry.cylinders),
        .heads = footer->geometry.heads,
        .sectors_per_track = footer->geometry.sectors_per_track,
        .type = be32_of(footer->type),
        .saved_state = footer->saved_state,
    };
    memcpy(ret->cookie, footer->is_disabled ? cookie_disabled : cookie, sizeof cookie);
    memcpy(ret->creator_app, footer->creator_app, sizeof ret->creator_app);
    uuid_copy(ret->uuid, footer->uuid);
    memcpy(ret->reserved, footer->reserved, sizeof ret->reserved);
    ret->checksum = be32_of(footer_checksum(ret));
}
