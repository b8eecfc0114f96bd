/* SPDX-License-Identifier: MIT */
/*
 * If this fails, guests that use the CHS geometry see a disk of another size, and checkers of other
 * programs call our images damaged.
 */
#include "format/geometry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static const uint64_t sectors_per_mb = 2048;

static uint64_t product(struct vhd_geometry chs)
{
    return (uint64_t)chs.cylinders * chs.heads * chs.sectors_per_track;
}

struct worked {
    uint64_t sectors;
    uint16_t cylinders;
    uint8_t heads, sectors_per_track;
};

static void assert_worked(const struct worked *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct vhd_geometry chs = vhd_geometry_of(cases[i].sectors);
        assert_int_equal(chs.cylinders, cases[i].cylinders);
        assert_int_equal(chs.heads, cases[i].heads);
        assert_int_equal(chs.sectors_per_track, cases[i].sectors_per_track);
    }
}

static void sizes_worked_out_by_hand(void **state)
{
    (void)state;
    const struct worked cases[] = {
        {3 * 2048, 90, 4, 17},
        {514 * 2048, 1044, 16, 63},
        {2000 * 2048, 4063, 16, 63},
        {4096 * 2048, 8322, 16, 63},
        {UINT64_C(130558) * 2048, 65534, 16, 255},
        {UINT64_C(130559) * 2048, 65535, 16, 255},
        {UINT64_C(2088960) * 2048, 65535, 16, 255},
    };

    assert_worked(cases, LENGTH(cases));
}

static void products_worked_out_by_hand(void **state)
{
    (void)state;
    assert_int_equal(product(vhd_geometry_of(3 * sectors_per_mb)), 6120);
    assert_int_equal(product(vhd_geometry_of(4096 * sectors_per_mb)), 8388576);
    assert_int_equal(product(vhd_geometry_of(2088960 * sectors_per_mb)), 267382800);
}

/* One sector on either side of each change to another number of sectors per track. */
static void edges_of_the_calculation(void **state)
{
    (void)state;
    const struct worked cases[] = {
        {17 * 4 * 1024 - 1, 1023, 4, 17},   {17 * 4 * 1024, 140, 16, 31},
        {17 * (4 * 1024 + 1), 819, 5, 17},  {17 * 5 * 1024 - 1, 1023, 5, 17},
        {17 * 5 * 1024, 175, 16, 31},       {17 * 16 * 1024 - 1, 1023, 16, 17},
        {17 * 16 * 1024, 561, 16, 31},      {31 * 16 * 1024 - 1, 1023, 16, 31},
        {31 * 16 * 1024, 503, 16, 63},      {65535 * 16 * 63 - 1, 65534, 16, 63},
        {65535 * 16 * 63, 16191, 16, 255},  {65535 * 16 * 255 - 1, 65534, 16, 255},
        {65535 * 16 * 255, 65535, 16, 255}, {65535 * 16 * 255 + 1, 65535, 16, 255},
        {UINT64_MAX, 65535, 16, 255},
    };

    assert_worked(cases, LENGTH(cases));
}

static void sizes_below_a_cylinder_do_not_fail(void **state)
{
    (void)state;
    const struct worked cases[] = {{0, 0, 4, 17}, {1, 0, 4, 17}, {67, 0, 4, 17}, {68, 1, 4, 17}};

    assert_worked(cases, LENGTH(cases));
}

static void it_never_exceeds_the_disk(void **state)
{
    (void)state;
    for (uint64_t mb = 3; mb <= 140000; mb++) {
        struct vhd_geometry chs = vhd_geometry_of(mb * sectors_per_mb);
        assert_true(product(chs) <= mb * sectors_per_mb);
        assert_in_range(chs.heads, 4, 16);
    }
}

static void only_897_whole_mb_sizes_are_met_exactly(void **state)
{
    (void)state;
    const uint64_t first[] = {17, 155, 186, 217, 252, 315};
    unsigned int sizes = 0, exact = 0;

    for (uint64_t mb = 3; mb <= 130559; mb++) {
        sizes++;
        if (product(vhd_geometry_of(mb * sectors_per_mb)) == mb * sectors_per_mb) {
            if (exact < LENGTH(first)) {
                assert_int_equal(mb, first[exact]);
            }
            exact++;
        }
    }
    assert_int_equal(sizes, 130557);
    assert_int_equal(exact, 897);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_worked_out_by_hand),
        cmocka_unit_test(products_worked_out_by_hand),
        cmocka_unit_test(edges_of_the_calculation),
        cmocka_unit_test(sizes_below_a_cylinder_do_not_fail),
        cmocka_unit_test(it_never_exceeds_the_disk),
        cmocka_unit_test(only_897_whole_mb_sizes_are_met_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
