/* SPDX-License-Identifier: MIT */
/*
 * The plan for the blocks of a damaged disk: which entries stay, and which blocks move.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/io.h"
#include "base/rounding.h"
#include "format/batmap.h"
#include "format/block.h"
#include "format/locator.h"
#include "image/layout.h"
#include "repair/planner.h"

/* The most blocks that a plan copies. More that overlap mean that the table is no table. */
#define MOVES_MAX 1024

static int change_entry(struct vhd_planner *planner, uint32_t block, uint32_t old_sector,
                        uint32_t sector)
{
    struct vhd_repair_plan *plan = planner->plan;
    struct vhd_repair_entry *entries =
        array_grow(plan->entries, plan->entry_count, &plan->entry_capacity, sizeof *entries);

    if (!entries)
        return -ENOMEM;
    plan->entries = entries;
    entries[plan->entry_count++] = (struct vhd_repair_entry){block, old_sector, sector};
    return 0;
}

/* Keep a block, or remove it from the table. */
static int plan_entry(struct vhd_planner *planner, uint32_t block, uint32_t sector)
{
    const struct vhd_bounds bounds = vhd_image_bounds(&planner->image);
    const uint64_t at = (uint64_t)sector * VHD_SECTOR_SIZE,
                   bitmap = vhd_block_bitmap_length(planner->image.header.block_size);

    if (sector == VHD_UNALLOCATED)
        return 0;
    if (vhd_place_metadata_under(&bounds, at, planner->plan->block_length) ||
        at + bitmap > planner->plan->old_end)
        return change_entry(planner, block, sector, VHD_UNALLOCATED);
    return vhd_places_add(&planner->places, sector, block);
}

static int plan_entries(struct vhd_planner *planner)
{
    const struct vhd_image *image = &planner->image;
    const uint64_t table = image->header.table_offset;
    struct be32 entries[VHD_PLANNER_ENTRIES];

    for (uint32_t done = 0; done < image->blocks;) {
        const uint32_t left = image->blocks - done;
        const uint32_t count = left < VHD_PLANNER_ENTRIES ? left : VHD_PLANNER_ENTRIES;
        size_t have;
        if (vhd_planner_is_ended(planner))
            return -ECANCELED;
        memset(entries, 0xFF, sizeof entries);
        int err = vhd_io_read(planner->fd, entries, count * sizeof *entries,
                              table + UINT64_C(4) * done, &have);
        if (err < 0)
            return err;
        for (size_t i = 0; i < have / sizeof *entries; i++) {
            err = plan_entry(planner, done + (uint32_t)i, be32_get(entries[i]));
            if (err < 0)
                return err;
        }
        done += count;
    }
    return 0;
}

/* Keep the metadata, and what lies behind the table: locators and a batmap. */
static int use_metadata(struct vhd_planner *planner)
{
    const struct vhd_image *image = &planner->image;
    const uint64_t old_end = planner->plan->old_end;
    struct vhd_batmap_disk batmap;
    uint64_t at, len;

    vhd_planner_use(planner, image->footer.data_offset + VHD_HEADER_SIZE);
    vhd_planner_use(planner, vhd_layout_table_end(image));
    for (int i = 0; i < VHD_LOCATORS; i++) {
        const struct vhd_locator *locator = &image->header.locators[i];
        len = vhd_locator_space(locator);
        if (locator->platform != 0 && len <= old_end && locator->data_offset <= old_end - len)
            vhd_planner_use(planner, locator->data_offset + len);
    }
    int has = vhd_layout_find_batmap(planner->fd, image, &batmap);
    if (has > 0 && vhd_batmap_decode(&batmap, &at, &len)) {
        vhd_planner_use(planner, vhd_layout_table_end(image) + VHD_SECTOR_SIZE);
        if (len <= old_end && at <= old_end - len)
            vhd_planner_use(planner, at + len);
    }
    return has < 0 ? has : 0;
}

/* Keep a block in its place. If the file ends inside it, the file has to grow. */
static void use_block(struct vhd_planner *planner, const struct vhd_place *place)
{
    struct vhd_repair_plan *plan = planner->plan;
    const uint64_t end = (uint64_t)place->sector * VHD_SECTOR_SIZE + plan->block_length;

    vhd_planner_use(planner, end);
    if (end <= plan->old_end)
        return;
    plan->extended++;
    if (plan->old_end < plan->length)
        plan->zero =
            (struct vhd_repair_stretch){plan->old_end, end < plan->length ? end : plan->length};
}

/* Find the blocks that overlap one before them in the file, and those that stay. */
static int plan_places(struct vhd_planner *planner, struct vhd_places *ret_moved)
{
    const struct vhd_bounds bounds = vhd_image_bounds(&planner->image);
    const struct vhd_place *last = NULL;
    int err = 0;

    vhd_places_sort(&planner->places);
    for (size_t i = 0; i < planner->places.count && err == 0; i++) {
        const struct vhd_place *place = &planner->places.all[i];
        if (last && vhd_places_overlap(&bounds, last, place)) {
            err = vhd_places_add(ret_moved, place->sector, place->block);
        } else {
            use_block(planner, place);
            last = place;
        }
    }
    return err;
}

/* Give each moved block a place behind all else, and behind the footer that still counts. */
static int plan_moves(struct vhd_planner *planner, const struct vhd_places *moved)
{
    const uint32_t block_size = planner->image.header.block_size;
    uint64_t last = planner->end > planner->plan->length ? planner->end : planner->plan->length;

    last = round_up(last, VHD_SECTOR_SIZE);
    for (size_t i = 0; i < moved->count; i++) {
        const uint64_t at = vhd_block_next_bitmap(last, block_size);
        if (at / VHD_SECTOR_SIZE >= VHD_UNALLOCATED)
            return -EFBIG;
        int err = change_entry(planner, moved->all[i].block, moved->all[i].sector,
                               (uint32_t)(at / VHD_SECTOR_SIZE));
        if (err < 0)
            return err;
        last = at + planner->plan->block_length - VHD_SECTOR_SIZE;
        vhd_planner_use(planner, at + planner->plan->block_length);
    }
    planner->plan->moves = moved->count;
    return 0;
}

static int compare_entries(const void *a, const void *b)
{
    const struct vhd_repair_entry *one = a, *other = b;
    return (one->block > other->block) - (one->block < other->block);
}

/* Would the plan change what the disk reads as, or which blocks there are? */
static bool changes_content(const struct vhd_repair_plan *plan)
{
    return plan->entry_count > 0 || plan->extended > 0 || plan->filled.end > 0;
}

/* Forget all that concerns blocks, and the place of the footer with it. */
static void keep_blocks(struct vhd_planner *planner)
{
    struct vhd_repair_plan *plan = planner->plan;

    free(plan->entries);
    plan->entries = NULL;
    plan->entry_count = plan->entry_capacity = plan->moves = 0;
    plan->extended = 0;
    plan->zero = plan->filled = (struct vhd_repair_stretch){0};
    planner->end = plan->old_end;
}

int vhd_planner_plan_blocks(struct vhd_planner *planner)
{
    struct vhd_places moved = {0};

    planner->plan->block_length = vhd_block_length(planner->image.header.block_size);
    int err = plan_entries(planner);
    if (err == 0)
        err = use_metadata(planner);
    if (err == 0)
        err = plan_places(planner, &moved);
    if (err == 0 && moved.count <= MOVES_MAX)
        err = plan_moves(planner, &moved);
    const bool is_too_much = moved.count > MOVES_MAX || err == -EFBIG;
    vhd_places_free(&moved);
    if (err < 0 && err != -EFBIG)
        return err;
    /*
     * A header whose checksum is wrong is right only if all blocks are. Otherwise the table may lie
     * elsewhere.
     */
    const struct vhd_survey *survey = &planner->plan->survey;
    if (survey->header_fault.defect != VHD_SOUND &&
        (changes_content(planner->plan) ||
         survey->image.header.max_entries != planner->image.blocks)) {
        planner->plan->is_known = false;
        return 0;
    }
    if (is_too_much || (planner->has_children && changes_content(planner->plan)))
        keep_blocks(planner);
    if (planner->plan->entry_count > 1)
        qsort(planner->plan->entries, planner->plan->entry_count, sizeof *planner->plan->entries,
              compare_entries);
    return 0;
}
