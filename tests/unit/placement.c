/* SPDX-License-Identifier: MIT */
/*
 * If this fails, blocks overlap the table or each other, or an admitted disk does not fit the store
 * once it has grown.
 */
#include "format/placement.h"
#include "format/footer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static const uint64_t mb = UINT64_C(1) << 20;

/* A block of ours, its bitmap and the gap before the next: 4104 sectors. */
static const uint64_t stride = 4104 * 512;

static void sizes_worked_out_by_hand(void **state)
{
    (void)state;
    const struct {
        uint64_t size_mb;
        uint32_t entries, table_length;
        uint64_t empty_length, first_bitmap, full_length;
    } cases[] = {
        {3, 2, 512, 2560, 3584, 4203008},
        {514, 257, 1536, 3584, 3584, 3584 + 4097 * 512 + 256 * 4104 * 512 + 512},
        {2000, 1000, 4096, 6144, 7680, 7680 + 4097 * 512 + UINT64_C(999) * 4104 * 512 + 512},
        {4096, 2048, 8192, 10240, 11776, UINT64_C(4303364608)},
        {2088960, 1044480, 4177920, 4179968, 4181504, UINT64_C(2194715689472)},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct vhd_placement p = vhd_placement_of(cases[i].size_mb * mb, 0);
        assert_int_equal(p.entries, cases[i].entries);
        assert_int_equal(p.table_length, cases[i].table_length);
        assert_int_equal(p.empty_length, cases[i].empty_length);
        assert_int_equal(p.first_bitmap, cases[i].first_bitmap);
        assert_int_equal(p.full_length, cases[i].full_length);
    }
}

static void last_entries_worked_out_by_hand(void **state)
{
    (void)state;
    const struct {
        uint64_t size_mb;
        uint32_t last;
    } cases[] = {{3, 0x100F}, {4096, 0x80300F}, {2088960, 0xFF7F8FDF}};

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct vhd_placement p = vhd_placement_of(cases[i].size_mb * mb, 0);
        uint64_t last = p.first_bitmap + (p.entries - 1) * stride;
        assert_int_equal(last / 512, cases[i].last);
        assert_int_equal(p.full_length, last + 4097 * 512 + 512);
    }
}

static void there_is_one_entry_a_block(void **state)
{
    (void)state;
    assert_int_equal(vhd_placement_of(1, 0).entries, 1);
    assert_int_equal(vhd_placement_of(512, 0).entries, 1);
    assert_int_equal(vhd_placement_of(2 * mb, 0).entries, 1);
    assert_int_equal(vhd_placement_of(2 * mb + 512, 0).entries, 2);
    assert_int_equal(vhd_placement_of(VHD_SIZE_MAX - 2 * mb, 0).entries, 1044479);
    assert_int_equal(vhd_placement_of(VHD_SIZE_MAX - 512, 0).entries, 1044480);
}

static void the_largest_disk_has_2040_gib(void **state)
{
    (void)state;
    assert_int_equal(VHD_SIZE_MAX, UINT64_C(2190433320960));
    assert_int_equal(VHD_HEADER_OFFSET, 512);
    assert_int_equal(VHD_TABLE_OFFSET, 1536);
}

/* The rules behind the numbers, over many sizes. */
static void nothing_lies_over_anything_else(void **state)
{
    (void)state;
    for (uint64_t size_mb = 3; size_mb <= 2088960; size_mb += size_mb < 20000 ? 1 : 997) {
        struct vhd_placement p = vhd_placement_of(size_mb * mb, 0);
        assert_int_equal(p.entries, (size_mb + 1) / 2);
        assert_true(p.table_length % 512 == 0);
        assert_in_range(p.table_length, p.entries * 4, p.entries * 4 + 511);
        assert_int_equal(p.empty_length, 1536 + p.table_length + 512);
        /* the first data on 4 KiB, as near behind the footer of the empty image as possible */
        assert_true((p.first_bitmap + 512) % 4096 == 0);
        assert_in_range(p.first_bitmap, p.empty_length, p.empty_length + 4095);
        assert_int_equal(p.full_length,
                         p.first_bitmap + (p.entries - 1) * stride + 4097 * 512 + 512);
        assert_true((p.first_bitmap + (p.entries - 1) * stride) / 512 < UINT32_MAX);
    }
}

static void locators_lie_between_table_and_footer(void **state)
{
    (void)state;
    for (uint32_t length = 0; length <= 3072; length += 512) {
        struct vhd_placement p = vhd_placement_of(4096 * mb, length);
        assert_int_equal(p.locators, 1536 + 8192);
        assert_int_equal(p.empty_length, 1536 + 8192 + length + 512);
        assert_true((p.first_bitmap + 512) % 4096 == 0);
        assert_in_range(p.first_bitmap, p.empty_length, p.empty_length + 4095);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_worked_out_by_hand),
        cmocka_unit_test(last_entries_worked_out_by_hand),
        cmocka_unit_test(there_is_one_entry_a_block),
        cmocka_unit_test(the_largest_disk_has_2040_gib),
        cmocka_unit_test(locators_lie_between_table_and_footer),
        cmocka_unit_test(nothing_lies_over_anything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
