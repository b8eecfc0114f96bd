/* SPDX-License-Identifier: MIT */
#include "repair/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/rounding.h"
#include "base/zeros.h"
#include "image/mark.h"
#include "format/batmap.h"
#include "format/block.h"
#include "format/checksum.h"
#include "format/locator.h"
#include "image/layout.h"
#include "repair/planner.h"

/* Bytes that are read at a time. */
enum { PIECE = 1 << 20 };

/*
 * The footer.
 */

/* Find the last sector that is not all zeros. Returns 0, or -ENOENT when there is none. */
static int find_last_data(const struct vhd_planner *planner, uint64_t *ret)
{
    AUTO_FREE uint8_t *buf = malloc(PIECE);
    if (!buf)
        return -ENOMEM;
    for (uint64_t end = round_up(planner->plan->length, PIECE); end > 0; end -= PIECE) {
        const uint64_t at = end - PIECE;
        const off_t data = lseek(planner->fd, (off_t)at, SEEK_DATA);
        size_t have;
        if (vhd_planner_is_ended(planner))
            return -ECANCELED;
        if ((data < 0 && errno == ENXIO) || (data >= 0 && (uint64_t)data >= end))
            continue;
        int err = vhd_io_read(planner->fd, buf, PIECE, at, &have);
        if (err < 0)
            return err;
        while (have > 0 && buf[have - 1] == 0)
            have--;
        if (have > 0) {
            *ret = at + (have - 1) / VHD_SECTOR_SIZE * VHD_SECTOR_SIZE;
            return 0;
        }
    }
    return -ENOENT;
}

/*
 * Find a footer with nothing but zeros behind it: the file has grown there. A guest can write a
 * footer anywhere into a fixed disk, so that counts only where its size says.
 */
static int find_inner_footer(struct vhd_planner *planner)
{
    struct vhd_survey *survey = &planner->plan->survey;
    struct vhd_footer_disk disk;
    struct vhd_footer footer;
    struct vhd_fault fault;
    uint64_t at = 0;

    int err = find_last_data(planner, &at);
    if (err == 0)
        err = vhd_io_get(planner->fd, &disk, sizeof disk, at);
    if (err == -ENOENT || err == -EIO)
        return 0;
    if (err < 0 || vhd_footer_decode(&disk, &footer, &fault) != VHD_SOUND)
        return err;
    /* A repair may have made the file longer and not written the new footer yet. */
    if (footer.type == VHD_TYPE_FIXED && footer.current_size != at &&
        footer.current_size + VHD_FOOTER_SIZE != planner->plan->length)
        return 0;
    vhd_survey_use(planner->fd, &footer, survey);
    if (footer.type == VHD_TYPE_FIXED)
        survey->image.footer_at = at;
    planner->plan->is_known = vhd_image_read_only_reason(&survey->image) == VHD_SOUND;
    return 0;
}

/* Is a footer whose checksum is wrong right in all else? */
static bool is_plausible(const struct vhd_survey *survey)
{
    const struct vhd_image *image = &survey->image;
    const struct vhd_footer *footer = &image->footer;
    const struct vhd_footer strict = vhd_footer_strict(footer);

    /* Two values tell the size, and one of them has to agree with the current size. */
    if (!is_zeros(footer->reserved + 1, sizeof footer->reserved - 1) ||
        (footer->original_size != footer->current_size &&
         memcmp(&footer->geometry, &strict.geometry, sizeof strict.geometry) != 0))
        return false;
    if (footer->type == VHD_TYPE_FIXED)
        return footer->current_size == image->footer_at;
    if (survey->end.is_readable && survey->copy.is_readable &&
        memcmp(&survey->end.disk, &survey->copy.disk, sizeof survey->copy.disk) != 0)
        return false;
    return image->has_header && survey->header_fault.defect == VHD_SOUND &&
           (uint64_t)image->header.max_entries * image->header.block_size >= footer->current_size;
}

/* Decide which footer to go by. */
static int plan_footer(struct vhd_planner *planner)
{
    struct vhd_repair_plan *plan = planner->plan;
    const struct vhd_image *image = &plan->survey.image;

    plan->old_end =
        plan->survey.end.fault.defect == VHD_FOOTER_MISSING ? plan->length : plan->survey.end.at;
    if (!image->has_footer)
        return find_inner_footer(planner);
    plan->is_known = (!plan->survey.is_footer_guessed || is_plausible(&plan->survey)) &&
                     vhd_image_read_only_reason(image) == VHD_SOUND;
    return 0;
}

static void set_footer(struct vhd_planner *planner)
{
    struct vhd_footer strict = vhd_footer_strict(&planner->plan->survey.image.footer);

    if (uuid_is_null(strict.uuid) && !planner->has_children)
        uuid_generate_random(strict.uuid);
    vhd_footer_encode(&strict, &planner->plan->footer);
}

/* Compare the end of the file with what it should be. */
static void plan_end(struct vhd_planner *planner)
{
    struct vhd_repair_plan *plan = planner->plan;
    const struct vhd_survey_footer *end = &plan->survey.end;

    plan->changes_end = end->at != plan->footer_at || end->length != VHD_FOOTER_SIZE ||
                        memcmp(&end->disk, &plan->footer, sizeof plan->footer) != 0;
}

/*
 * A fixed disk.
 */

/* Plan zeros over the footer that an interrupted resize has left, because the mark goes. */
static int plan_left_footer(struct vhd_planner *planner)
{
    uint64_t at;

    int err = vhd_mark_find(planner->fd, &planner->plan->survey.image.footer, &at);
    if (err == 0 && at > 0)
        planner->plan->zero = (struct vhd_repair_stretch){at, at + VHD_SECTOR_SIZE};
    return err;
}

static int plan_fixed(struct vhd_planner *planner)
{
    struct vhd_repair_plan *plan = planner->plan;
    const struct vhd_image *image = &plan->survey.image;
    const uint64_t size = image->footer.current_size;
    int err = 0;

    set_footer(planner);
    plan->footer_at = image->footer_at;
    if (size > image->footer_at) {
        /* A claim of far more than there is says nothing about what is missing. */
        if (planner->has_children || size - image->footer_at > plan->length) {
            plan->is_known = false;
            return 0;
        }
        plan->footer_at = size;
        plan->extended = 1;
        const uint64_t footer_end = image->footer_at + VHD_FOOTER_SIZE;
        plan->zero = (struct vhd_repair_stretch){
            image->footer_at, footer_end < plan->length ? footer_end : plan->length};
    } else {
        err = plan_left_footer(planner);
    }
    plan_end(planner);
    return err;
}

/*
 * The header of a dynamic disk.
 */

/* Find the end of the last block that a surplus entry leads to; 0 if there is none. */
static int find_surplus(const struct vhd_planner *planner, uint64_t *ret_end)
{
    const struct vhd_header *header = &planner->plan->survey.image.header;
    const struct vhd_bounds bounds = vhd_image_bounds(&planner->plan->survey.image);
    const uint64_t length = vhd_block_length(header->block_size);
    struct be32 entries[VHD_PLANNER_ENTRIES];
    struct vhd_fault fault;

    for (uint64_t done = planner->image.blocks; done < header->max_entries;) {
        const off_t data = lseek(planner->fd, (off_t)(header->table_offset + 4 * done), SEEK_DATA);
        if (vhd_planner_is_ended(planner))
            return -ECANCELED;
        if (data < 0 && errno == ENXIO)
            return 0;
        if (data > 0 && ((uint64_t)data - header->table_offset) / 4 > done)
            done = ((uint64_t)data - header->table_offset) / 4;
        if (done >= header->max_entries)
            return 0;
        const uint64_t left = header->max_entries - done;
        const size_t count = left < VHD_PLANNER_ENTRIES ? (size_t)left : VHD_PLANNER_ENTRIES;
        int err = vhd_io_get(planner->fd, entries, count * sizeof *entries,
                             header->table_offset + 4 * done);
        if (err < 0)
            return err;
        for (size_t i = 0; i < count; i++) {
            const uint32_t sector = be32_get(entries[i]);
            const uint64_t end = (uint64_t)sector * VHD_SECTOR_SIZE + length;
            if (sector != VHD_UNALLOCATED && sector != 0 && end > *ret_end &&
                vhd_place_judge(&bounds, 0, sector, &fault) == VHD_SOUND)
                *ret_end = end;
        }
        done += count;
    }
    return 0;
}

/*
 * Give the table as many entries as the disk needs, if the surplus ones lead nowhere. blktap finds
 * its batmap by the length of the table.
 */
static int plan_surplus(struct vhd_planner *planner)
{
    struct vhd_header *header = &planner->image.header;
    struct vhd_batmap_disk batmap;
    uint64_t end = 0;

    if (header->max_entries == planner->image.blocks)
        return 0;
    int has = vhd_layout_find_batmap(planner->fd, &planner->plan->survey.image, &batmap);
    int err = has < 0 ? has : find_surplus(planner, &end);
    if (err == 0 && has == 0 && end == 0)
        header->max_entries = planner->image.blocks;
    vhd_planner_use(planner, end);
    return err;
}

/*
 * Can the table be used? One that reaches out of the file is cut off, if the footer is gone too.
 * The entries that are missing lead nowhere then.
 */
static bool plan_table(struct vhd_planner *planner)
{
    struct vhd_repair_plan *plan = planner->plan;
    struct vhd_image *image = &planner->image;
    struct vhd_image longer = *image;
    struct vhd_fault fault;

    const struct vhd_bounds bounds = vhd_image_bounds(image);
    if (vhd_place_judge_table(&bounds, &image->blocks, &fault) == VHD_SOUND)
        return true;
    if (fault.defect != VHD_TABLE_OUTSIDE || plan->survey.end.fault.defect != VHD_FOOTER_MISSING ||
        planner->has_children || image->header.table_offset >= plan->length ||
        image->header.max_entries > VHD_IMAGE_BLOCKS_MAX)
        return false;
    longer.footer_at = image->header.table_offset + UINT64_C(4) * image->header.max_entries;
    const struct vhd_bounds longer_bounds = vhd_image_bounds(&longer);
    if (vhd_place_judge_table(&longer_bounds, &image->blocks, &fault) != VHD_SOUND)
        return false;
    plan->filled = (struct vhd_repair_stretch){plan->length / 4 * 4,
                                               round_up(longer.footer_at, VHD_SECTOR_SIZE)};
    return true;
}

/*
 * Encode the header. A sound one changes only if its first sector alone does, because a crash
 * between two would leave a wrong checksum.
 */
static void set_header(struct vhd_planner *planner)
{
    struct vhd_repair_plan *plan = planner->plan;
    const bool is_sound = plan->survey.header_fault.defect == VHD_SOUND;

    if (!is_sound)
        memset(planner->image.header.reserved_end, 0, sizeof planner->image.header.reserved_end);
    vhd_header_encode(&planner->image.header, &plan->header);
    if (is_sound) {
        /* Fields that the host values lack. */
        uint8_t *bytes = (uint8_t *)&plan->header;
        memcpy(bytes + VHD_SECTOR_SIZE, (uint8_t *)&plan->survey.header + VHD_SECTOR_SIZE,
               sizeof plan->header - VHD_SECTOR_SIZE);
        plan->header.checksum = be32_of(vhd_checksum(&plan->header, sizeof plan->header,
                                                     offsetof(struct vhd_header_disk, checksum)));
    }
    plan->changes_header = memcmp(&plan->header, &plan->survey.header, sizeof plan->header) != 0;
}

static int plan_dynamic(struct vhd_planner *planner)
{
    struct vhd_repair_plan *plan = planner->plan;
    const struct vhd_survey *survey = &plan->survey;

    planner->image = survey->image;
    if (!survey->image.has_header || survey->image.footer.current_size > VHD_IMAGE_SIZE_MAX ||
        (survey->header_fault.defect != VHD_SOUND &&
         survey->header_fault.defect != VHD_HEADER_CHECKSUM) ||
        !plan_table(planner)) {
        plan->is_known = false;
        return 0;
    }
    int err = plan_surplus(planner);
    if (err == 0)
        err = vhd_planner_plan_blocks(planner);
    if (err < 0 || !plan->is_known)
        return err;
    set_footer(planner);
    set_header(planner);
    plan->footer_at = round_up(planner->end, VHD_SECTOR_SIZE);
    plan->changes_copy = memcmp(&survey->copy.disk, &plan->footer, sizeof plan->footer) != 0;
    plan_end(planner);
    return 0;
}

int vhd_repair_plan_make(int fd, bool has_children, bool (*goes_on)(void *arg, unsigned percent),
                         void *arg, struct vhd_repair_plan *ret)
{
    struct vhd_planner planner = {
        .fd = fd,
        .has_children = has_children,
        .goes_on = goes_on,
        .arg = arg,
        .plan = ret,
    };

    *ret = (struct vhd_repair_plan){0};
    vhd_survey_read(fd, &ret->survey);
    ret->length = ret->survey.image.length;
    int err = plan_footer(&planner);
    if (err == 0 && ret->is_known) {
        if (ret->survey.image.footer.type == VHD_TYPE_FIXED)
            err = plan_fixed(&planner);
        else
            err = plan_dynamic(&planner);
    }
    vhd_places_free(&planner.places);
    if (err < 0)
        vhd_repair_plan_free(ret);
    return err;
}

bool vhd_repair_plan_is_empty(const struct vhd_repair_plan *plan)
{
    return !plan->is_known || (!plan->changes_end && !plan->changes_copy && !plan->changes_header &&
                               plan->entry_count == 0 && plan->filled.end == 0);
}

void vhd_repair_plan_free(struct vhd_repair_plan *plan)
{
    free(plan->entries);
    *plan = (struct vhd_repair_plan){0};
}
