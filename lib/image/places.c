/* SPDX-License-Identifier: MIT */
#include "image/places.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/rounding.h"
#include "format/block.h"

enum vhd_defect vhd_place_judge_table(const struct vhd_bounds *bounds, uint32_t *ret_blocks,
                                      struct vhd_fault *ret_fault)
{
    const struct vhd_header *header = bounds->header;
    const uint64_t needed = div_round_up(bounds->footer->current_size, header->block_size);

    if (header->max_entries < needed)
        return vhd_fault_set(ret_fault, VHD_TABLE_TOO_SMALL,
                             "%" PRIu32 " entries, expected at least %" PRIu64, header->max_entries,
                             needed);
    if (needed > VHD_IMAGE_BLOCKS_MAX)
        return vhd_fault_set(ret_fault, VHD_TOO_MANY_BLOCKS,
                             "%" PRIu64 " of %" PRIu32 " bytes, expected at most %" PRIu32, needed,
                             header->block_size, VHD_IMAGE_BLOCKS_MAX);
    *ret_blocks = (uint32_t)needed;

    const uint64_t table = header->table_offset, length = UINT64_C(4) * header->max_entries;
    const uint64_t header_at = bounds->footer->data_offset;
    bool is_inside = table >= VHD_FOOTER_SIZE && table % VHD_SECTOR_SIZE == 0 &&
                     length <= bounds->end && table <= bounds->end - length;
    bool is_clear = table >= header_at + VHD_HEADER_SIZE || table + length <= header_at;
    if (!is_inside || !is_clear)
        return vhd_fault_set(ret_fault, VHD_TABLE_OUTSIDE, "%" PRIu64 " bytes at %" PRIu64, length,
                             table);
    return VHD_SOUND;
}

const char *vhd_place_metadata_under(const struct vhd_bounds *bounds, uint64_t at, uint64_t length)
{
    const struct {
        uint64_t at, length;
        const char *what;
    } metadata[] = {
        {0, VHD_FOOTER_SIZE, "the footer's copy"},
        {bounds->footer->data_offset, VHD_HEADER_SIZE, "the dynamic header"},
        {bounds->header->table_offset, UINT64_C(4) * bounds->header->max_entries, "the table"},
    };

    for (size_t i = 0; i < sizeof metadata / sizeof *metadata; i++) {
        if (at < metadata[i].at + metadata[i].length && metadata[i].at < at + length)
            return metadata[i].what;
    }
    return NULL;
}

enum vhd_defect vhd_place_judge(const struct vhd_bounds *bounds, uint32_t block, uint32_t sector,
                                struct vhd_fault *ret_fault)
{
    const uint64_t at = (uint64_t)sector * VHD_SECTOR_SIZE;
    const uint64_t length = vhd_block_length(bounds->header->block_size);

    const char *under = vhd_place_metadata_under(bounds, at, length);
    if (under)
        return vhd_fault_set(ret_fault, VHD_BLOCK_OUTSIDE,
                             "block %" PRIu32 " at sector %" PRIu32 " reaches over %s", block,
                             sector, under);
    if (at + length > bounds->end)
        return vhd_fault_set(ret_fault, VHD_BLOCK_OUTSIDE,
                             "block %" PRIu32 " at sector %" PRIu32 " ends at byte %" PRIu64
                             ", expected at most %" PRIu64,
                             block, sector, at + length, bounds->end);
    return VHD_SOUND;
}

int vhd_places_add(struct vhd_places *places, uint32_t sector, uint32_t block)
{
    struct vhd_place *all = array_grow(places->all, places->count, &places->capacity, sizeof *all);
    if (!all)
        return -ENOMEM;
    places->all = all;
    places->all[places->count++] = (struct vhd_place){sector, block};
    return 0;
}

static int compare_places(const void *a, const void *b)
{
    const struct vhd_place *first = a, *second = b;
    if (first->sector == second->sector)
        return (first->block > second->block) - (first->block < second->block);
    return first->sector > second->sector ? 1 : -1;
}

void vhd_places_sort(struct vhd_places *places)
{
    if (places->count > 1)
        qsort(places->all, places->count, sizeof *places->all, compare_places);
}

bool vhd_places_overlap(const struct vhd_bounds *bounds, const struct vhd_place *one,
                        const struct vhd_place *next)
{
    return (uint64_t)(next->sector - one->sector) * VHD_SECTOR_SIZE <
           vhd_block_length(bounds->header->block_size);
}

enum vhd_defect vhd_places_refuse(const struct vhd_place *one, const struct vhd_place *next,
                                  struct vhd_fault *ret_fault)
{
    return vhd_fault_set(ret_fault, VHD_BLOCK_OVERLAP,
                         "block %" PRIu32 " at sector %" PRIu32 " and block %" PRIu32
                         " at sector %" PRIu32,
                         one->block, one->sector, next->block, next->sector);
}

void vhd_places_free(struct vhd_places *places)
{
    free(places->all);
    *places = (struct vhd_places){0};
}
