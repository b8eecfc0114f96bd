#include "format/placement.h"

#include "base/rounding.h"
#include "format/footer.h"
#include "format/header.h"

/* A block's data begins on a multiple of this, so that the host's pages are written whole. */
#define DATA_ALIGNMENT 4096u

struct vhd_placement vhd_placement_of(uint64_t size)
{
    uint32_t entries = (uint32_t)div_round_up(size, VHD_BLOCK_DEFAULT);
    uint32_t table_length = (uint32_t)round_up(UINT64_C(4) * entries, VHD_SECTOR_SIZE);
    uint64_t empty_footer = (uint64_t)VHD_TABLE_OFFSET + table_length;

    /*
     * The bitmap, one sector for 2 MiB, stands right before its data, and strictly above the
     * footer of the empty image: the growth that makes the first block must not write over the
     * one footer that is valid until it is durable.
     */
    uint64_t first_data = round_up(empty_footer + UINT64_C(2) * VHD_SECTOR_SIZE, DATA_ALIGNMENT);
    uint64_t last_data =
        first_data + (entries - 1) * (uint64_t)(VHD_BLOCK_DEFAULT + DATA_ALIGNMENT);

    return (struct vhd_placement){
        .entries = entries,
        .table_length = table_length,
        .empty_length = empty_footer + VHD_FOOTER_SIZE,
        .first_bitmap = first_data - VHD_SECTOR_SIZE,
        .full_length = last_data + VHD_BLOCK_DEFAULT + VHD_FOOTER_SIZE,
    };
}
