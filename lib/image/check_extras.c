/* SPDX-License-Identifier: MIT */
#include "image/check_extras.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/rounding.h"
#include "format/batmap.h"
#include "format/locator.h"
#include "image/layout.h"
#include "image/places.h"

/* Bytes of the map that are read at a time. */
#define PIECE ((size_t)64 << 10)

struct check {
    int fd;
    const struct vhd_image *image;
    struct vhd_bounds bounds;
    uint32_t blocks;
    struct vhd_findings *findings;
    struct vhd_extras *extras;
};

/* Judge a stretch, and keep it if it lies inside the file. Returns whether it does. */
static bool add_extra(struct check *check, const char *where, const char *what, uint64_t at,
                      uint64_t length)
{
    const uint64_t end = check->bounds.end;

    if (at > end || length > end - at) {
        vhd_find(check->findings, where, "outside",
                 "%s, %" PRIu64 " bytes at byte %" PRIu64 ", reaches out of the file", what, length,
                 at);
        return false;
    }
    const char *under = length > 0 ? vhd_place_metadata_under(&check->bounds, at, length) : NULL;
    if (under)
        vhd_find(check->findings, where, "overlap", "%s at byte %" PRIu64 " reaches over %s", what,
                 at, under);
    for (size_t i = 0; i < check->extras->count; i++) {
        if (at < check->extras->all[i].end && check->extras->all[i].at < at + length)
            vhd_find(check->findings, where, "overlap", "%s at byte %" PRIu64 " reaches over %s",
                     what, at, check->extras->all[i].where);
    }
    struct vhd_extra *extra = &check->extras->all[check->extras->count++];
    *extra = (struct vhd_extra){.at = at, .end = at + length};
    snprintf(extra->where, sizeof extra->where, "%s", where);
    const uint64_t used = round_up(at + length, VHD_SECTOR_SIZE);
    if (used > check->extras->end && used <= end)
        check->extras->end = used;
    return true;
}

/* The codes that blktap knows; it refuses an image with another one. */
static bool is_known_code(uint32_t platform)
{
    static const uint32_t codes[] = {
        0,          VHD_PLATFORM_W2RU, VHD_PLATFORM_W2KU, VHD_PLATFORM_MACX,
        0x4D616320, /* "Mac " */
        0x57693272, /* "Wi2r" */
        0x5769326B, /* "Wi2k" */
    };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i] == platform)
            return true;
    }
    return false;
}

static void check_locator(struct check *check, const struct vhd_locator *locator, int number)
{
    const uint64_t space = vhd_locator_space(locator);
    char where[24];

    snprintf(where, sizeof where, "locator %d", number);
    if (!is_known_code(locator->platform))
        vhd_find(check->findings, where, "code", "the platform code is 0x%08" PRIX32,
                 locator->platform);
    if (locator->platform == 0)
        return;
    /* In sectors, or in bytes: whole sectors, with space for all data. */
    if ((locator->data_space >= VHD_SECTOR_SIZE && locator->data_space % VHD_SECTOR_SIZE != 0) ||
        space > round_up(locator->data_space >= VHD_SECTOR_SIZE
                             ? locator->data_space
                             : (uint64_t)locator->data_space * VHD_SECTOR_SIZE,
                         VHD_SECTOR_SIZE))
        vhd_find(check->findings, where, "space", "the space for %" PRIu32 " bytes is %" PRIu32,
                 locator->data_length, locator->data_space);
    add_extra(check, where, "its data", locator->data_offset, space);
}

/* The map's checksum, which blktap 1.1 computed wrongly. */
static int check_map_sum(struct check *check, const struct vhd_batmap_disk *batmap, uint64_t at,
                         uint64_t length)
{
    AUTO_FREE uint8_t *data = malloc(PIECE);
    uint32_t sum = 0;

    if (!data)
        return -ENOMEM;
    if (be32_get(batmap->version) != 0x00010002)
        return 0;
    for (uint64_t done = 0; done < length; done += PIECE) {
        const size_t len = length - done < PIECE ? (size_t)(length - done) : PIECE;
        if (!vhd_findings_go_on(check->findings, 0))
            return -ECANCELED;
        if (vhd_io_get(check->fd, data, len, at + done) < 0) {
            vhd_find(check->findings, "batmap", "unreadable", "the map cannot be read");
            return 0;
        }
        for (size_t i = 0; i < len; i++)
            sum += data[i];
    }
    if (~sum != be32_get(batmap->checksum))
        vhd_find(check->findings, "batmap", "checksum",
                 "the map's checksum is wrong: 0x%08" PRIX32 ", expected 0x%08" PRIX32,
                 be32_get(batmap->checksum), ~sum);
    return 0;
}

static int check_batmap(struct check *check)
{
    struct vhd_batmap_disk batmap;
    uint64_t at, length;

    int has = vhd_layout_find_batmap(check->fd, check->image, &batmap);
    if (has < 0)
        vhd_find(check->findings, "batmap", "unreadable", "%s", strerrordesc_np(-has));
    if (has <= 0)
        return 0;
    check->extras->has_batmap = true;
    vhd_batmap_decode(&batmap, &at, &length);
    add_extra(check, "batmap", "its header", vhd_layout_table_end(check->image), VHD_SECTOR_SIZE);
    if (!add_extra(check, "batmap", "the map", at, length))
        return 0;
    const uint64_t needed = div_round_up(check->blocks, 8);
    if (length < needed) {
        vhd_find(check->findings, "batmap", "small",
                 "the map has %" PRIu64 " bytes, expected at least %" PRIu64, length, needed);
        return 0;
    }
    int err = check_map_sum(check, &batmap, at, length);
    if (err < 0)
        return err;
    check->extras->full = malloc(needed + 1);
    if (!check->extras->full)
        return -ENOMEM;
    if (vhd_io_get(check->fd, check->extras->full, needed, at) < 0) {
        free(check->extras->full);
        check->extras->full = NULL;
    }
    return 0;
}

bool vhd_extras_call_full(const struct vhd_extras *extras, uint32_t block)
{
    return extras->full && extras->full[block / 8] >> (7 - block % 8) & 1;
}

int vhd_check_extras(int fd, const struct vhd_image *image, uint32_t blocks,
                     struct vhd_findings *findings, struct vhd_extras *ret)
{
    struct check check = {fd, image, vhd_image_bounds(image), blocks, findings, ret};

    *ret = (struct vhd_extras){.count = 0};
    for (int i = 0; i < VHD_LOCATORS && vhd_image_is_differencing(image); i++)
        check_locator(&check, &image->header.locators[i], i + 1);
    return check_batmap(&check);
}

void vhd_extras_free(struct vhd_extras *extras)
{
    free(extras->full);
    extras->full = NULL;
}
