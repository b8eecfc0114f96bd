/* SPDX-License-Identifier: MIT */
/*
 * If this failed, blocks would overlap each other or the footer, or every page of data would lie
 * across two of the host's.
 */
#include "format/block.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* VHD specification 1.0, "Data Block": the bitmap is padded to a sector. */
static void bitmaps_are_whole_sectors(void **state)
{
    (void)state;
    assert_int_equal(vhd_block_bitmap_length(2 << 20), 512);
    assert_int_equal(vhd_block_bitmap_length(512), 512);
    assert_int_equal(vhd_block_bitmap_length(4096), 512);
    assert_int_equal(vhd_block_bitmap_length(4 << 20), 1024);
    assert_int_equal(vhd_block_bitmap_length(1 << 30), 262144);
    assert_int_equal(vhd_block_bitmap_length(UINT32_C(1) << 31), 524288);
}

static void a_block_is_its_bitmap_and_its_data(void **state)
{
    (void)state;
    assert_int_equal(vhd_block_length(2 << 20), 2097664);
    assert_int_equal(vhd_block_length(512), 1024);
    assert_int_equal(vhd_block_length(UINT32_C(1) << 31), UINT64_C(2148007936));
}

/* The numbers of the format itself, as in placement.c. */
static void the_first_block_lies_behind_the_footer(void **state)
{
    (void)state;
    assert_int_equal(vhd_block_next_bitmap(2048, 2 << 20), 3584);
    assert_int_equal(vhd_block_next_bitmap(9728, 2 << 20), 11776);
    assert_int_equal(vhd_block_next_bitmap(4179456, 2 << 20), 4181504);
}

static void the_next_place_is_aligned_and_above(void **state)
{
    (void)state;
    for (uint32_t block = 512; block <= 32u << 20; block *= 2) {
        const uint64_t bitmap = vhd_block_bitmap_length(block);
        for (uint64_t at = 1536; at < 1536 + 40 * 512; at += 512) {
            uint64_t place = vhd_block_next_bitmap(at, block);
            assert_int_equal(place % 512, 0);
            assert_int_equal((place + bitmap) % 4096, 0);
            assert_in_range(place, at + 512, at + 512 + 4095);
        }
    }
}

/* Blocks follow each other: the next one is asked for at the end of the one before. */
static void blocks_follow_each_other_on_a_grid(void **state)
{
    (void)state;
    uint64_t first = vhd_block_next_bitmap(2048, 2 << 20);
    uint64_t second = vhd_block_next_bitmap(first + vhd_block_length(2 << 20), 2 << 20);

    assert_int_equal(second - first, 4104 * 512);
}

static void the_empty_entry_is_all_ones(void **state)
{
    (void)state;
    assert_int_equal(VHD_UNALLOCATED, 0xFFFFFFFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bitmaps_are_whole_sectors),
        cmocka_unit_test(a_block_is_its_bitmap_and_its_data),
        cmocka_unit_test(the_first_block_lies_behind_the_footer),
        cmocka_unit_test(the_next_place_is_aligned_and_above),
        cmocka_unit_test(blocks_follow_each_other_on_a_grid),
        cmocka_unit_test(the_empty_entry_is_all_ones),
    };
    return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
