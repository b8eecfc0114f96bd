/* SPDX-License-Identifier: MIT */
#include "image/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/io.h"
#include "base/rounding.h"
#include "format/block.h"
#include "format/locator.h"

/* Copy of the footer, header, table, batmap's header and map; locators. */
enum { METADATA_MAX = 5 + VHD_LOCATORS };

/* Add a stretch. A part beyond the footer does not belong to this file. */
static void add(struct vhd_layout *content, const struct vhd_image *image, uint64_t at,
                uint64_t len)
{
    if (at >= image->footer_at)
        return;
    if (len > image->footer_at - at)
        len = image->footer_at - at;
    content->stretches[content->count++] = (struct vhd_stretch){at, at + len};
}

/* blktap puts a batmap right behind the table, and its creator code shows that. */
int vhd_layout_find_batmap(int fd, const struct vhd_image *image, struct vhd_batmap_disk *ret)
{
    uint64_t at, len;
    size_t have;

    if (memcmp(image->footer.creator_app, "tap", 4) != 0)
        return 0;
    int err = vhd_io_read(fd, ret, sizeof *ret, vhd_layout_table_end(image), &have);
    return err < 0 ? err : have == sizeof *ret && vhd_batmap_decode(ret, &at, &len);
}

uint64_t vhd_layout_table_end(const struct vhd_image *image)
{
    return image->header.table_offset +
           round_up(UINT64_C(4) * image->header.max_entries, VHD_SECTOR_SIZE);
}

static int add_batmap(struct vhd_layout *content, const struct vhd_layer *layer)
{
    const struct vhd_image *image = &layer->image;
    struct vhd_batmap_disk batmap;
    uint64_t at, len;

    int has = vhd_layout_find_batmap(layer->fd, image, &batmap);
    if (has <= 0)
        return has;
    content->has_batmap = true;
    vhd_batmap_decode(&batmap, &at, &len);
    add(content, image, vhd_layout_table_end(image), VHD_SECTOR_SIZE);
    add(content, image, at, len);
    return 0;
}

/* Find the first metadata that begins behind the table. */
static uint64_t first_behind(const struct vhd_layout *content, uint64_t table_end)
{
    uint64_t first = UINT64_MAX;

    for (size_t i = 0; i < content->count; i++) {
        if (content->stretches[i].at >= table_end && content->stretches[i].at < first)
            first = content->stretches[i].at;
    }
    return first;
}

static int add_metadata(struct vhd_layout *content, const struct vhd_layer *layer)
{
    const struct vhd_image *image = &layer->image;
    const struct vhd_header *header = &image->header;

    add(content, image, 0, VHD_FOOTER_SIZE);
    add(content, image, image->footer.data_offset, VHD_HEADER_SIZE);
    add(content, image, header->table_offset, vhd_layout_table_end(image) - header->table_offset);
    for (int i = 0; i < VHD_LOCATORS; i++) {
        const struct vhd_locator *locator = &header->locators[i];
        if (locator->platform != 0)
            add(content, image, locator->data_offset, vhd_locator_space(locator));
    }
    int err = add_batmap(content, layer);
    content->behind_table = first_behind(content, vhd_layout_table_end(image));
    return err;
}

static void add_blocks(struct vhd_layout *content, const struct vhd_layer *layer, size_t count)
{
    const uint64_t length = vhd_block_length(layer->image.header.block_size);

    for (uint32_t block = 0; count > 0; block++) {
        uint32_t entry = vhd_layer_entry(layer, block);
        uint64_t at = (uint64_t)entry * VHD_SECTOR_SIZE;
        if (entry == VHD_UNALLOCATED)
            continue;
        content->stretches[content->count++] = (struct vhd_stretch){at, at + length};
        content->first_block = at < content->first_block ? at : content->first_block;
        count--;
    }
}

/*
 * Surplus entries of the table point at blocks beyond the end of the disk, because a program has
 * made the disk smaller. The blocks stay, so that it can grow again. The entries are read from the
 * file: a table can claim four billion, but its holes have none.
 */

/* The most stretches of surplus entries; if there are more, some overlap. */
static size_t surplus_max(const struct vhd_image *image)
{
    return (size_t)(image->length / vhd_block_length(image->header.block_size)) + 1;
}

/* Add the blocks of count entries. Returns 0, -E2BIG when there are too many, or -ENOMEM. */
static int add_entries(struct vhd_layout *content, const struct vhd_image *image,
                       const struct be32 *entries, size_t count, size_t most, size_t *capacity)
{
    for (size_t i = 0; i < count; i++) {
        const uint32_t entry = be32_get(entries[i]);
        if (entry == VHD_UNALLOCATED || entry == 0) /* 0: some programs' padding */
            continue;
        if (content->count == most)
            return -E2BIG;
        struct vhd_stretch *stretches =
            array_grow(content->stretches, content->count, capacity, sizeof *stretches);
        if (!stretches)
            return -ENOMEM;
        content->stretches = stretches;
        add(content, image, (uint64_t)entry * VHD_SECTOR_SIZE,
            vhd_block_length(image->header.block_size));
    }
    return 0;
}

/* The first byte of data in the file from at on; a hole lies before it. */
static uint64_t skip_hole(int fd, uint64_t at, uint64_t end)
{
    const off_t data = lseek(fd, (off_t)at, SEEK_DATA);

    if (data >= 0)
        return (uint64_t)data < end ? (uint64_t)data : end;
    return errno == ENXIO ? end : at;
}

/* Add the blocks of surplus entries; capacity is that of the stretches. */
static int add_surplus(struct vhd_layout *content, const struct vhd_layer *layer, size_t capacity)
{
    enum { PIECE = 4096 };
    const struct vhd_image *image = &layer->image;
    const uint64_t table = image->header.table_offset;
    const uint64_t end = table + UINT64_C(4) * image->header.max_entries;
    const size_t most = content->count + surplus_max(image);
    struct be32 entries[PIECE];
    int err = 0;

    for (uint64_t at = table + UINT64_C(4) * image->blocks; at < end && err == 0;) {
        at = skip_hole(layer->fd, at, end) / sizeof *entries * sizeof *entries;
        const size_t left = (size_t)((end - at) / sizeof *entries);
        const size_t count = left < PIECE ? left : PIECE;
        err = vhd_io_get(layer->fd, entries, count * sizeof *entries, at);
        if (err == 0)
            err = add_entries(content, image, entries, count, most, &capacity);
        at += count * sizeof *entries;
    }
    if (err != -E2BIG)
        return err;
    /* The file cannot hold that many blocks, so all behind the table counts as used. */
    content->count--;
    add(content, image, end, UINT64_MAX - end);
    return 0;
}

static size_t count_blocks(const struct vhd_layer *layer)
{
    size_t count = 0;

    for (uint32_t block = 0; block < layer->image.blocks; block++)
        count += vhd_layer_entry(layer, block) != VHD_UNALLOCATED;
    return count;
}

static int compare_stretches(const void *a, const void *b)
{
    const struct vhd_stretch *one = a, *other = b;
    return (one->at > other->at) - (one->at < other->at);
}

/* Sort. Most disks are filled from their start on, so they are sorted already. */
static void sort(struct vhd_layout *content)
{
    for (size_t i = 1; i < content->count; i++) {
        if (content->stretches[i].at < content->stretches[i - 1].at) {
            qsort(content->stretches, content->count, sizeof *content->stretches,
                  compare_stretches);
            return;
        }
    }
}

/* List all stretches in any order. */
static int list(const struct vhd_layer *layer, struct vhd_layout *ret)
{
    const size_t blocks = count_blocks(layer), capacity = blocks + METADATA_MAX;
    struct vhd_layout content = {.first_block = UINT64_MAX};

    content.stretches = malloc(capacity * sizeof *content.stretches);
    if (!content.stretches)
        return -ENOMEM;
    int err = add_metadata(&content, layer);
    if (err == 0) {
        add_blocks(&content, layer, blocks);
        err = add_surplus(&content, layer, capacity);
    }
    if (err < 0) {
        vhd_layout_free(&content);
        return err;
    }
    for (size_t i = 0; i < content.count; i++) {
        if (content.stretches[i].end > content.end)
            content.end = content.stretches[i].end;
    }
    content.end = round_up(content.end, VHD_SECTOR_SIZE);
    *ret = content;
    return 0;
}

int vhd_layout_list(const struct vhd_layer *layer, struct vhd_layout *ret)
{
    int err = list(layer, ret);
    if (err == 0)
        sort(ret);
    return err;
}

int vhd_layout_end(const struct vhd_layer *layer, uint64_t *ret)
{
    struct vhd_layout content;

    int err = list(layer, &content);
    if (err < 0)
        return err;
    *ret = content.end;
    vhd_layout_free(&content);
    return 0;
}

void vhd_layout_free(struct vhd_layout *content)
{
    free(content->stretches);
    *content = (struct vhd_layout){0};
}
