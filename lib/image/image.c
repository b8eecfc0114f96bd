/* SPDX-License-Identifier: MIT */
#include "image/image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/zeros.h"
#include "format/block.h"
#include "format/foreign.h"

/* A file, and the judgement of it so far. */
struct judge {
    int fd;
    struct vhd_image *image;
    bool is_table_wanted;
    _Atomic uint32_t *table; /* if wanted */
};

/* Read exactly len bytes; a failure is a fault of the image. */
static bool read_exactly(const struct judge *judge, void *buf, size_t len, uint64_t off)
{
    size_t have = 0;
    int err = vhd_io_read(judge->fd, buf, len, off, &have);

    if (err < 0)
        vhd_fault_set(&judge->image->fault, VHD_UNREADABLE, "%s", strerrordesc_np(-err));
    else if (have < len)
        vhd_fault_set(&judge->image->fault, VHD_UNREADABLE, "it ends at %" PRIu64 " bytes",
                      off + have);
    return err == 0 && have == len;
}

/* Try the len bytes at off as a footer. */
static enum vhd_defect try_footer(struct judge *judge, uint64_t off, size_t len)
{
    struct vhd_footer_disk disk = {0};
    struct vhd_image *image = judge->image;

    if (!read_exactly(judge, &disk, len, off))
        return image->fault.defect;
    enum vhd_defect defect = vhd_footer_decode(&disk, &image->footer, &image->fault);
    if (defect != VHD_SOUND && defect != VHD_FOOTER_MISSING)
        vhd_fault_locate(&image->fault, off);
    return defect;
}

/*
 * Find the footer. The one at the end decides, because a guest can write anything into the first
 * sector of a fixed disk. The copy counts only if the end has none.
 */
static bool find_footer(struct judge *judge)
{
    struct vhd_image *image = judge->image;
    const uint64_t length = image->length;
    const size_t short_footer = VHD_FOOTER_SIZE - 1;

    if (length < VHD_FOOTER_SIZE) {
        vhd_fault_set(&image->fault, VHD_FOOTER_MISSING, "it has %" PRIu64 " bytes", length);
        return false;
    }
    image->footer_at = length - VHD_FOOTER_SIZE;
    enum vhd_defect at_end = try_footer(judge, image->footer_at, VHD_FOOTER_SIZE);
    if (at_end == VHD_SOUND)
        return true;
    struct vhd_fault fault = image->fault;
    if (try_footer(judge, length - short_footer, short_footer) == VHD_SOUND) {
        image->footer_at = length - short_footer;
        vhd_fault_set(&image->fault, VHD_SOUND, NULL);
        return true;
    }
    image->footer_at = length;
    if (try_footer(judge, 0, VHD_FOOTER_SIZE) == VHD_SOUND &&
        image->footer.type != VHD_TYPE_FIXED) {
        vhd_fault_set(&image->fault, VHD_FOOTER_LOST, NULL);
        return true;
    }
    image->fault = fault;
    return false;
}

static bool judge_fixed(const struct judge *judge)
{
    struct vhd_image *image = judge->image;

    if (image->footer.current_size <= image->footer_at)
        return true;
    vhd_fault_set(&image->fault, VHD_FILE_TOO_SHORT,
                  "%" PRIu64 " bytes before the footer, expected %" PRIu64, image->footer_at,
                  image->footer.current_size);
    return false;
}

static bool find_header(struct judge *judge)
{
    struct vhd_image *image = judge->image;
    const uint64_t at = image->footer.data_offset;
    struct vhd_header_disk disk;

    if (at < VHD_FOOTER_SIZE || at % VHD_SECTOR_SIZE != 0 || image->footer_at < VHD_HEADER_SIZE ||
        at > image->footer_at - VHD_HEADER_SIZE) {
        vhd_fault_set(&image->fault, VHD_HEADER_OUTSIDE, "at byte %" PRIu64, at);
        return false;
    }
    if (!read_exactly(judge, &disk, sizeof disk, at))
        return false;
    if (vhd_header_decode(&disk, &image->header, &image->fault) != VHD_SOUND) {
        vhd_fault_locate(&image->fault, at);
        return false;
    }
    image->has_header = true;
    if (image->footer.current_size <= VHD_IMAGE_SIZE_MAX)
        return true;
    vhd_fault_set(&image->fault, VHD_DISK_TOO_LARGE, "%" PRIu64 " bytes",
                  image->footer.current_size);
    return false;
}

static bool judge_overlap(struct vhd_image *image, struct vhd_places *places)
{
    const struct vhd_bounds bounds = vhd_image_bounds(image);

    vhd_places_sort(places);
    for (size_t i = 1; i < places->count; i++) {
        if (vhd_places_overlap(&bounds, &places->all[i - 1], &places->all[i])) {
            vhd_places_refuse(&places->all[i - 1], &places->all[i], &image->fault);
            return false;
        }
    }
    return true;
}

/* Judge count entries of the table, from entry first on. */
static bool judge_entries(const struct judge *judge, const struct be32 *entries, uint32_t first,
                          uint32_t count, struct vhd_places *places)
{
    struct vhd_image *image = judge->image;
    const struct vhd_bounds bounds = vhd_image_bounds(image);

    /* No other thread sees the table yet. Large disks are mostly empty. */
    if (is_filled_with(0xFF, entries, count * sizeof *entries)) {
        if (judge->table)
            memset((void *)&judge->table[first], 0xFF, count * sizeof *judge->table);
        return true;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t sector = be32_get(entries[i]);
        if (judge->table)
            atomic_store_explicit(&judge->table[first + i], sector, memory_order_relaxed);
        if (sector == VHD_UNALLOCATED)
            continue;
        if (vhd_place_judge(&bounds, first + i, sector, &image->fault) != VHD_SOUND)
            return false;
        if (vhd_places_add(places, sector, first + i) < 0) {
            vhd_fault_set(&image->fault, VHD_UNREADABLE, "%s", strerrordesc_np(ENOMEM));
            return false;
        }
        image->allocated++;
    }
    return true;
}

/*
 * Make space for the table, if it is wanted. A hostile header can claim a large one, but the host
 * gives memory only to the part that is written to.
 */
static bool make_table_space(struct judge *judge)
{
    struct vhd_image *image = judge->image;

    free(TAKE(judge->table));
    if (!judge->is_table_wanted)
        return true;
    judge->table = malloc(image->blocks * sizeof *judge->table);
    if (!judge->table)
        vhd_fault_set(&image->fault, VHD_UNREADABLE, "%s", strerrordesc_np(ENOMEM));
    return judge->table;
}

/*
 * Judge the table piece by piece; the first fault ends the work. If there are more blocks than the
 * file can hold, some overlap. So the file's length bounds the list of blocks, and
 * VHD_IMAGE_BLOCKS_MAX bounds all memory.
 */
static bool judge_table(struct judge *judge)
{
    enum { PIECE = 4096 };
    struct vhd_image *image = judge->image;
    struct be32 entries[PIECE];
    const uint64_t length = vhd_block_length(image->header.block_size);
    const uint64_t most = image->length / length;
    struct vhd_places places = {0};

    bool is_sound = make_table_space(judge);
    for (uint32_t done = 0; is_sound && done < image->blocks && places.count <= most;) {
        uint32_t count = image->blocks - done < PIECE ? image->blocks - done : PIECE;
        is_sound = read_exactly(judge, entries, count * sizeof *entries,
                                image->header.table_offset + UINT64_C(4) * done) &&
                   judge_entries(judge, entries, done, count, &places);
        done += count;
    }
    is_sound = is_sound && judge_overlap(image, &places);
    vhd_places_free(&places);
    return is_sound;
}

bool vhd_image_has_old_bitmaps(const struct vhd_image *image)
{
    return image->has_header && memcmp(image->footer.creator_app, "tap", 3) == 0 &&
           image->footer.creator_version == 0x00000001;
}

enum vhd_defect vhd_image_read_only_reason(const struct vhd_image *image)
{
    if (image->footer.is_disabled)
        return VHD_DISABLED;
    return vhd_image_has_old_bitmaps(image) ? VHD_OLD_BITMAPS : VHD_SOUND;
}

static bool find_metadata(struct judge *judge)
{
    struct vhd_image *image = judge->image;
    struct stat attributes;

    if (fstat(judge->fd, &attributes) < 0) {
        vhd_fault_set(&image->fault, VHD_UNREADABLE, "%s", strerrordesc_np(errno));
        return false;
    }
    image->length = (uint64_t)attributes.st_size;
    image->has_footer = find_footer(judge);
    if (!image->has_footer && image->fault.defect == VHD_FOOTER_MISSING)
        vhd_foreign_judge(judge->fd, &image->fault);
    if (!image->has_footer)
        return false;
    return image->footer.type == VHD_TYPE_FIXED ? judge_fixed(judge) : find_header(judge);
}

static bool judge_metadata(struct judge *judge)
{
    struct vhd_image *image = judge->image;

    memset(image, 0, sizeof *image);
    vhd_fault_set(&image->fault, VHD_SOUND, NULL);
    bool is_sound = find_metadata(judge);
    if (is_sound && image->fault.defect == VHD_SOUND)
        vhd_fault_set(&image->fault, vhd_image_read_only_reason(image), NULL);
    return is_sound;
}

bool vhd_image_read(int fd, struct vhd_image *ret)
{
    struct judge judge = {.fd = fd, .image = ret};
    return judge_metadata(&judge);
}

static bool judge_whole(struct judge *judge)
{
    struct vhd_image *image = judge->image;

    if (!judge_metadata(judge))
        return false;
    const struct vhd_bounds bounds = vhd_image_bounds(image);
    return !image->has_header ||
           (vhd_place_judge_table(&bounds, &image->blocks, &image->fault) == VHD_SOUND &&
            judge_table(judge));
}

/* Has the file's length changed since the image was read? Then its writer has moved the end. */
static bool has_grown(const struct judge *judge)
{
    struct stat attributes;
    return fstat(judge->fd, &attributes) == 0 &&
           (uint64_t)attributes.st_size != judge->image->length;
}

bool vhd_image_load(int fd, struct vhd_image *ret, _Atomic uint32_t **ret_table)
{
    enum { TRIES = 16 };
    struct judge judge = {.fd = fd, .image = ret, .is_table_wanted = ret_table != NULL};
    bool is_sound = false;

    for (int tries = 0; tries < TRIES && (tries == 0 || has_grown(&judge)); tries++) {
        is_sound = judge_whole(&judge);
    }
    if (is_sound && ret_table)
        *ret_table = judge.table;
    else
        free(judge.table);
    return is_sound;
}

bool vhd_image_judge(int fd, struct vhd_image *ret)
{
    return vhd_image_load(fd, ret, NULL);
}
