/* SPDX-License-Identifier: MIT */
#include "image/check_blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/rounding.h"
#include "base/zeros.h"
#include "format/bitmap.h"
#include "format/block.h"
#include "image/check_extras.h"
#include "image/layout.h"
#include "image/places.h"

/* Entries of the table, and bytes of data, that are read at a time. */
enum { ENTRIES = 4096, PIECE = 1 << 20 };

/* Percent of the work that counts for the table; bitmaps are the rest. */
#define TABLE_PERCENT 10

struct blocks {
    int fd;
    const struct vhd_image *image;
    struct vhd_bounds bounds;
    struct vhd_findings *findings;
    unsigned percent;

    struct vhd_extras extras;

    uint32_t blocks;          /* that the disk's size needs */
    struct vhd_places places; /* of blocks inside the file */
    uint64_t end;             /* of all that is in use */
    uint64_t surplus, surplus_outside;

    uint8_t *bitmap, *data;
    uint64_t partly, unaligned; /* blocks */
};

static void use(struct blocks *blocks, uint64_t end)
{
    if (end > blocks->end && end <= blocks->bounds.end)
        blocks->end = end;
}

/*
 * The table.
 */

static bool is_surplus(const struct blocks *blocks, uint64_t block)
{
    return block >= blocks->blocks;
}

static int check_entry(struct blocks *blocks, uint64_t block, uint32_t sector)
{
    const uint64_t length = vhd_block_length(blocks->image->header.block_size);
    struct vhd_fault fault;

    /* Some programs pad a table with zeros. */
    if (sector == VHD_UNALLOCATED || (sector == 0 && is_surplus(blocks, block)))
        return 0;
    const bool is_inside =
        vhd_place_judge(&blocks->bounds, (uint32_t)block, sector, &fault) == VHD_SOUND;
    if (is_surplus(blocks, block)) {
        blocks->surplus++;
        blocks->surplus_outside += !is_inside;
    } else if (!is_inside) {
        vhd_find_block(blocks->findings, (uint32_t)block, "outside", "%s", fault.sentence);
    }
    if (!is_inside)
        return 0;
    use(blocks, (uint64_t)sector * VHD_SECTOR_SIZE + length);
    return is_surplus(blocks, block) ? 0 : vhd_places_add(&blocks->places, sector, (uint32_t)block);
}

/* The first entry from one on that is no hole of the file. */
static uint64_t skip_hole(const struct blocks *blocks, uint64_t entry)
{
    const uint64_t table = blocks->image->header.table_offset;
    const uint64_t end = blocks->image->header.max_entries;

    /* The disk's own entries are judged wherever they lie. */
    if (!is_surplus(blocks, entry))
        return entry;
    const off_t data = lseek(blocks->fd, (off_t)(table + 4 * entry), SEEK_DATA);
    if (data < 0)
        return errno == ENXIO ? end : entry;
    const uint64_t first = ((uint64_t)data - table) / 4;
    return first < end ? first : end;
}

static int check_table(struct blocks *blocks)
{
    const struct vhd_header *header = &blocks->image->header;
    struct be32 entries[ENTRIES];
    uint64_t unreadable = 0;

    for (uint64_t done = 0; (done = skip_hole(blocks, done)) < header->max_entries;) {
        const uint64_t end = is_surplus(blocks, done) ? header->max_entries : blocks->blocks;
        const size_t count = end - done < ENTRIES ? (size_t)(end - done) : ENTRIES;
        blocks->percent = (unsigned)(done * TABLE_PERCENT / header->max_entries);
        if (!vhd_findings_go_on(blocks->findings, blocks->percent))
            return -ECANCELED;
        int err = vhd_io_get(blocks->fd, entries, count * sizeof *entries,
                             header->table_offset + 4 * done);
        unreadable += err < 0 ? count : 0;
        for (size_t i = 0; i < count && err == 0; i++) {
            if (check_entry(blocks, done + i, be32_get(entries[i])) < 0)
                return -ENOMEM;
        }
        done += count;
    }
    if (unreadable > 0)
        vhd_find(blocks->findings, "table", "unreadable", "%" PRIu64 " entries cannot be read",
                 unreadable);
    return 0;
}

/* Tell of surplus entries. blktap makes tables for disks that grow, and finds its batmap by them.
 */
static void tell_surplus(const struct blocks *blocks)
{
    static const char format[] =
        "the table has %" PRIu32 " entries, expected %" PRIu32 "; %" PRIu64
        " of the surplus ones are in use, %" PRIu64 " of these outside the file";
    const uint32_t entries = blocks->image->header.max_entries;

    if (entries == blocks->blocks)
        return;
    if (blocks->extras.has_batmap)
        vhd_find_remark(blocks->findings, "table", format, entries, blocks->blocks, blocks->surplus,
                        blocks->surplus_outside);
    else
        vhd_find(blocks->findings, "table", "surplus", format, entries, blocks->blocks,
                 blocks->surplus, blocks->surplus_outside);
}

/*
 * Blocks.
 */

/* Count the sectors of a stretch that hold data. Returns 0, -ECANCELED, or another errno. */
static int count_data(struct blocks *blocks, uint64_t at, uint64_t end, uint64_t *ret_sectors)
{
    while (at < end) {
        const off_t data = lseek(blocks->fd, (off_t)at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            return 0;
        if (data > 0 && (uint64_t)data > at)
            at = (uint64_t)data / VHD_SECTOR_SIZE * VHD_SECTOR_SIZE;
        if (at >= end)
            return 0;
        const size_t len = end - at < PIECE ? (size_t)(end - at) : PIECE;
        if (!vhd_findings_go_on(blocks->findings, blocks->percent))
            return -ECANCELED;
        int err = vhd_io_get(blocks->fd, blocks->data, len, at);
        if (err < 0)
            return err;
        if (!is_zeros(blocks->data, len)) {
            for (size_t i = 0; i < len; i += VHD_SECTOR_SIZE)
                *ret_sectors += !is_zeros(blocks->data + i, VHD_SECTOR_SIZE);
        }
        at += len;
    }
    return 0;
}

/* The sectors of a block that belong to the disk. */
static uint32_t sectors_of(const struct vhd_image *image, uint32_t block)
{
    const uint64_t off = (uint64_t)block * image->header.block_size;
    const uint64_t left = image->footer.current_size - off;

    return (uint32_t)((left < image->header.block_size ? left : image->header.block_size) /
                      VHD_SECTOR_SIZE);
}

/* Is a whole byte of the bitmap set in part? libvhdi misreads such a byte. */
static bool is_partly_set(const uint8_t *bitmap, uint32_t sectors)
{
    for (uint32_t i = 0; i < sectors / 8; i++) {
        if (bitmap[i] != 0 && bitmap[i] != 0xFF)
            return true;
    }
    return false;
}

/* Judge a bitmap that has been read. */
static int judge_bitmap(struct blocks *blocks, const struct vhd_place *place, uint32_t sectors)
{
    const struct vhd_image *image = blocks->image;
    const uint64_t data_at = (uint64_t)place->sector * VHD_SECTOR_SIZE +
                             vhd_block_bitmap_length(image->header.block_size);
    uint64_t found = 0;
    uint32_t clear = 0;
    bool is_set;

    for (uint32_t at = 0; at < sectors;) {
        const uint32_t run = vhd_bitmap_run(blocks->bitmap, at, sectors, &is_set);
        clear += is_set ? 0 : run;
        int err = is_set || vhd_image_is_differencing(image)
                      ? 0
                      : count_data(blocks, data_at + (uint64_t)at * VHD_SECTOR_SIZE,
                                   data_at + (uint64_t)(at + run) * VHD_SECTOR_SIZE, &found);
        if (err == -ECANCELED)
            return err;
        if (err < 0) {
            vhd_find_block(blocks->findings, place->block, "unreadable", "%s",
                           strerrordesc_np(-err));
            return 0;
        }
        at += run;
    }
    if (found > 0)
        vhd_find_block(blocks->findings, place->block, "data",
                       "%" PRIu64 " sectors with clear bits hold data", found);
    if (clear > 0 && vhd_extras_call_full(&blocks->extras, place->block))
        vhd_find_block(blocks->findings, place->block, "batmap",
                       "the batmap calls the block full, but %" PRIu32 " bits are clear", clear);
    blocks->partly += vhd_image_is_differencing(image) && is_partly_set(blocks->bitmap, sectors);
    return 0;
}

static int check_bitmap(struct blocks *blocks, const struct vhd_place *place)
{
    const uint32_t sectors = sectors_of(blocks->image, place->block);
    const size_t len = (size_t)div_round_up(sectors, 8);

    int err =
        vhd_io_get(blocks->fd, blocks->bitmap, len, (uint64_t)place->sector * VHD_SECTOR_SIZE);
    if (err < 0) {
        vhd_find_block(blocks->findings, place->block, "unreadable", "its bitmap: %s",
                       strerrordesc_np(-err));
        return 0;
    }
    if (vhd_image_has_old_bitmaps(blocks->image))
        vhd_bitmap_reverse(blocks->bitmap, len);
    return judge_bitmap(blocks, place, sectors);
}

/* Judge whether a block lies over a locator or the batmap. */
static void check_over_extras(const struct blocks *blocks, const struct vhd_place *place)
{
    const uint64_t at = (uint64_t)place->sector * VHD_SECTOR_SIZE;
    const uint64_t end = at + vhd_block_length(blocks->image->header.block_size);

    for (size_t i = 0; i < blocks->extras.count; i++) {
        const struct vhd_extra *extra = &blocks->extras.all[i];
        if (at < extra->end && extra->at < end)
            vhd_find_block(blocks->findings, place->block, "overlap",
                           "it reaches over %s at byte %" PRIu64, extra->where, extra->at);
    }
}

/*
 * Judge each block in the order of the file. The bitmap of a block that overlaps another says
 * nothing.
 */
static int check_places(struct blocks *blocks)
{
    const uint32_t bitmap_length = vhd_block_bitmap_length(blocks->image->header.block_size);
    const struct vhd_place *all = blocks->places.all;
    const size_t count = blocks->places.count;
    struct vhd_fault fault;
    bool overlaps_last = false;
    int err = 0;

    /* Bitmaps lie far apart, so reading ahead would read all data. */
    (void)posix_fadvise(blocks->fd, 0, 0, POSIX_FADV_RANDOM);
    for (size_t i = 0; i < count && err == 0; i++) {
        const bool overlaps_next =
            i + 1 < count && vhd_places_overlap(&blocks->bounds, &all[i], &all[i + 1]);
        blocks->percent = TABLE_PERCENT + (unsigned)(i * (99 - TABLE_PERCENT) / count);
        if (!vhd_findings_go_on(blocks->findings, blocks->percent))
            err = -ECANCELED;
        if (overlaps_next) {
            vhd_places_refuse(&all[i], &all[i + 1], &fault);
            vhd_find_block(blocks->findings, all[i].block, "overlap", "%s", fault.sentence);
        }
        check_over_extras(blocks, &all[i]);
        blocks->unaligned +=
            ((uint64_t)all[i].sector * VHD_SECTOR_SIZE + bitmap_length) % VHD_DATA_ALIGNMENT != 0;
        if (err == 0 && !overlaps_last && !overlaps_next)
            err = check_bitmap(blocks, &all[i]);
        overlaps_last = overlaps_next;
    }
    (void)posix_fadvise(blocks->fd, 0, 0, POSIX_FADV_NORMAL);
    return err;
}

static void tell_remarks(const struct blocks *blocks)
{
    const struct vhd_image *image = blocks->image;

    if (blocks->unaligned > 0)
        vhd_find_remark(blocks->findings, "table",
                        "the data of %" PRIu64 " blocks does not begin on 4 KiB",
                        blocks->unaligned);
    if (blocks->partly > 0)
        vhd_find_remark(blocks->findings, "table",
                        "%" PRIu64 " blocks have bits that are set in part of 4 KiB; libvhdi "
                        "misreads them",
                        blocks->partly);
    if (image->footer_at < image->length && blocks->end < image->footer_at)
        vhd_find_remark(blocks->findings, "file",
                        "%" PRIu64 " bytes of slack lie before the footer",
                        image->footer_at - blocks->end);
}

static int check_all(struct blocks *blocks)
{
    struct vhd_fault fault;

    if (vhd_place_judge_table(&blocks->bounds, &blocks->blocks, &fault) != VHD_SOUND) {
        vhd_find_fault(blocks->findings, &fault);
        return 0;
    }
    use(blocks, blocks->image->footer.data_offset + VHD_HEADER_SIZE);
    use(blocks, vhd_layout_table_end(blocks->image));
    int err = vhd_check_extras(blocks->fd, blocks->image, blocks->blocks, blocks->findings,
                               &blocks->extras);
    if (blocks->extras.end > blocks->end)
        blocks->end = blocks->extras.end;
    if (err == 0)
        err = check_table(blocks);
    if (err < 0)
        return err;
    tell_surplus(blocks);
    vhd_places_sort(&blocks->places);
    err = check_places(blocks);
    if (err == 0)
        tell_remarks(blocks);
    return err;
}

int vhd_check_blocks(int fd, const struct vhd_image *image, struct vhd_findings *findings)
{
    AUTO_FREE uint8_t *bitmap = malloc(vhd_block_bitmap_length(image->header.block_size));
    AUTO_FREE uint8_t *data = malloc(PIECE);
    struct blocks blocks = {
        .fd = fd,
        .image = image,
        .bounds = vhd_image_bounds(image),
        .findings = findings,
        .end = VHD_FOOTER_SIZE,
        .bitmap = bitmap,
        .data = data,
    };

    int err = bitmap && data ? check_all(&blocks) : -ENOMEM;
    vhd_places_free(&blocks.places);
    vhd_extras_free(&blocks.extras);
    return err;
}
