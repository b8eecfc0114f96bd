/* SPDX-License-Identifier: MIT */
#include "image/image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/io.h"
#include "base/rounding.h"
#include "format/block.h"
#include "format/foreign.h"
#include "format/placement.h"

/* A file, and the judgement of it so far. */
struct judge {
    int fd;
    struct vhd_image *image;
    bool is_table_wanted;
    _Atomic uint32_t *table; /* the entries judged so far, if wanted */
    uint32_t table_capacity; /* capacity in entries */
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

/* Is the table large enough for the disk, inside the file, and clear of the header? */
static bool judge_table_place(const struct judge *judge)
{
    struct vhd_image *image = judge->image;
    const struct vhd_header *header = &image->header;
    const uint64_t needed = div_round_up(image->footer.current_size, header->block_size);

    if (header->max_entries < needed) {
        vhd_fault_set(&image->fault, VHD_TABLE_TOO_SMALL,
                      "%" PRIu32 " entries, expected at least %" PRIu64, header->max_entries,
                      needed);
        return false;
    }
    if (needed > VHD_IMAGE_BLOCKS_MAX) {
        vhd_fault_set(&image->fault, VHD_TOO_MANY_BLOCKS,
                      "%" PRIu64 " of %" PRIu32 " bytes, expected at most %" PRIu32, needed,
                      header->block_size, VHD_IMAGE_BLOCKS_MAX);
        return false;
    }
    image->blocks = (uint32_t)needed;

    const uint64_t table = header->table_offset, length = UINT64_C(4) * header->max_entries;
    const uint64_t header_at = image->footer.data_offset;
    bool is_inside = table >= VHD_FOOTER_SIZE && table % VHD_SECTOR_SIZE == 0 &&
                     length <= image->footer_at && table <= image->footer_at - length;
    bool is_clear = table >= header_at + VHD_HEADER_SIZE || table + length <= header_at;
    if (!is_inside || !is_clear) {
        vhd_fault_set(&image->fault, VHD_TABLE_OUTSIDE, "%" PRIu64 " bytes at %" PRIu64, length,
                      table);
        return false;
    }
    return true;
}

/* The metadata that a stretch of the file overlaps; NULL for none. Bytes. */
static const char *metadata_under(const struct vhd_image *image, uint64_t at, uint64_t length)
{
    const struct {
        uint64_t at, length;
        const char *what;
    } metadata[] = {
        {0, VHD_FOOTER_SIZE, "the footer's copy"},
        {image->footer.data_offset, VHD_HEADER_SIZE, "the dynamic header"},
        {image->header.table_offset, UINT64_C(4) * image->header.max_entries, "the table"},
    };

    for (size_t i = 0; i < sizeof metadata / sizeof *metadata; i++) {
        if (at < metadata[i].at + metadata[i].length && metadata[i].at < at + length)
            return metadata[i].what;
    }
    return NULL;
}

/* Judge whether a block lies inside the file and off its metadata. */
static bool judge_place(const struct judge *judge, uint32_t block, uint32_t sector)
{
    struct vhd_image *image = judge->image;
    const uint64_t at = (uint64_t)sector * VHD_SECTOR_SIZE;
    const uint64_t length = vhd_block_length(image->header.block_size);

    const char *under = metadata_under(image, at, length);
    if (under)
        vhd_fault_set(&image->fault, VHD_BLOCK_OUTSIDE,
                      "block %" PRIu32 " at sector %" PRIu32 " reaches over %s", block, sector,
                      under);
    else if (at + length > image->footer_at)
        vhd_fault_set(&image->fault, VHD_BLOCK_OUTSIDE,
                      "block %" PRIu32 " at sector %" PRIu32 " ends at byte %" PRIu64
                      ", expected at most %" PRIu64,
                      block, sector, at + length, image->footer_at);
    return !under && at + length <= image->footer_at;
}

/* The allocated blocks. */
struct starts {
    struct start {
        uint32_t sector, block;
    } * all;
    size_t count, capacity;
};

static bool starts_add(struct starts *starts, uint32_t sector, uint32_t block)
{
    struct start *all = array_grow(starts->all, starts->count, &starts->capacity, sizeof *all);
    if (!all)
        return false;
    starts->all = all;
    starts->all[starts->count++] = (struct start){sector, block};
    return true;
}

static int compare_starts(const void *a, const void *b)
{
    const struct start *first = a, *second = b;
    if (first->sector == second->sector)
        return (first->block > second->block) - (first->block < second->block);
    return first->sector > second->sector ? 1 : -1;
}

/* Blocks have one length, so if any two overlap, two neighbours in the sorted list do. */
static bool judge_overlap(const struct judge *judge, struct starts *starts, uint64_t length)
{
    if (starts->count > 1)
        qsort(starts->all, starts->count, sizeof *starts->all, compare_starts);
    for (size_t i = 1; i < starts->count; i++) {
        const struct start *one = &starts->all[i - 1], *next = &starts->all[i];
        if ((uint64_t)(next->sector - one->sector) * VHD_SECTOR_SIZE < length) {
            vhd_fault_set(&judge->image->fault, VHD_BLOCK_OVERLAP,
                          "block %" PRIu32 " at sector %" PRIu32 " and block %" PRIu32
                          " at sector %" PRIu32,
                          one->block, one->sector, next->block, next->sector);
            return false;
        }
    }
    return true;
}

/* Judge count entries of the table, from entry first on. */
static bool judge_entries(const struct judge *judge, const struct be32 *entries, uint32_t first,
                          uint32_t count, struct starts *starts)
{
    struct vhd_image *image = judge->image;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t sector = be32_get(entries[i]);
        if (judge->table)
            atomic_store_explicit(&judge->table[first + i], sector, memory_order_relaxed);
        if (sector == VHD_UNALLOCATED)
            continue;
        if (!judge_place(judge, first + i, sector))
            return false;
        if (!starts_add(starts, sector, first + i)) {
            vhd_fault_set(&image->fault, VHD_UNREADABLE, "%s", strerrordesc_np(ENOMEM));
            return false;
        }
        image->allocated++;
    }
    return true;
}

/* Make space for count entries of the table, if they are wanted. */
static bool make_table_space(struct judge *judge, uint32_t count)
{
    struct vhd_image *image = judge->image;

    if (!judge->is_table_wanted || count <= judge->table_capacity)
        return true;
    uint64_t capacity = 2 * (uint64_t)judge->table_capacity;
    capacity = capacity < image->blocks ? capacity : image->blocks;
    capacity = capacity > count ? capacity : count;
    _Atomic uint32_t *table = reallocarray(judge->table, capacity, sizeof *table);
    if (!table) {
        vhd_fault_set(&image->fault, VHD_UNREADABLE, "%s", strerrordesc_np(ENOMEM));
        return false;
    }
    judge->table = table;
    judge->table_capacity = (uint32_t)capacity;
    return true;
}

/*
 * Judge the table piece by piece, and keep only judged entries. A hostile header can claim a large
 * table, and the first fault ends the work. If there are more blocks than the file can hold, some
 * overlap. So the file's length bounds the list of blocks, and VHD_IMAGE_BLOCKS_MAX bounds all
 * memory.
 */
static bool judge_table(struct judge *judge)
{
    enum { PIECE = 4096 };
    struct vhd_image *image = judge->image;
    struct be32 entries[PIECE];
    const uint64_t length = vhd_block_length(image->header.block_size);
    const uint64_t most = image->length / length;
    struct starts starts = {0};

    bool is_sound = true;
    for (uint32_t done = 0; is_sound && done < image->blocks && starts.count <= most;) {
        uint32_t count = image->blocks - done < PIECE ? image->blocks - done : PIECE;
        is_sound = make_table_space(judge, done + count) &&
                   read_exactly(judge, entries, count * sizeof *entries,
                                image->header.table_offset + UINT64_C(4) * done) &&
                   judge_entries(judge, entries, done, count, &starts);
        done += count;
    }
    is_sound = is_sound && judge_overlap(judge, &starts, length);
    free(starts.all);
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
    const struct vhd_image *image = judge->image;

    if (!judge_metadata(judge))
        return false;
    return !image->has_header || (judge_table_place(judge) && judge_table(judge));
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
