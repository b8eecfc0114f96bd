/* SPDX-License-Identifier: MIT */
#include "format/placement.h"

#include "base/rounding.h"
#include "format/block.h"
#include "format/header.h"

struct vhd_placement vhd_placement_of(uint64_t size, uint32_t locators_length)
{
    uint32_t entries = (uint32_t)div_round_up(size, VHD_BLOCK_DEFAULT);
    uint32_t table_length = (uint32_t)round_up(UINT64_C(4) * entries, VHD_SECTOR_SIZE);
    uint64_t locators = (uint64_t)VHD_TABLE_OFFSET + table_length;
    uint64_t empty_footer = locators + locators_length;

    /*
     * The first bitmap lies above the footer of the empty image. That footer is the only valid one
     * until the first growth is durable, so the growth must not overwrite it.
     */
    uint64_t first_bitmap = vhd_block_next_bitmap(empty_footer, VHD_BLOCK_DEFAULT);
    uint64_t stride = VHD_DATA_ALIGNMENT + VHD_BLOCK_DEFAULT;
    uint64_t last_end = first_bitmap + vhd_block_length(VHD_BLOCK_DEFAULT) + (entries - 1) * stride;

    return (struct vhd_placement){
        .entries = entries,
        .table_length = table_length,
        .locators = locators,
        .empty_length = empty_footer + VHD_FOOTER_SIZE,
        .first_bitmap = first_bitmap,
        .full_length = last_end + VHD_FOOTER_SIZE,
    };
}
