/* SPDX-License-Identifier: MIT */
/*
 * If this fails, a disk gets a block too few or too many, and its end cannot be written or other
 * programs call the image damaged.
 */
#include "base/rounding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void division_rounds_up(void **state)
{
    (void)state;
    assert_int_equal(div_round_up(0, 512), 0);
    assert_int_equal(div_round_up(1, 512), 1);
    assert_int_equal(div_round_up(511, 512), 1);
    assert_int_equal(div_round_up(512, 512), 1);
    assert_int_equal(div_round_up(513, 512), 2);
    assert_int_equal(div_round_up(7, 1), 7);
}

static void multiples_stay_and_others_go_up(void **state)
{
    (void)state;
    assert_int_equal(round_up(0, 512), 0);
    assert_int_equal(round_up(1, 512), 512);
    assert_int_equal(round_up(512, 512), 512);
    assert_int_equal(round_up(513, 512), 1024);
    assert_int_equal(round_up(8, 3), 9);
}

static void the_largest_disk_does_not_wrap(void **state)
{
    (void)state;
    const uint64_t largest = UINT64_C(2190433320960);

    assert_int_equal(div_round_up(largest, 2097152), 1044480);
    assert_int_equal(div_round_up(largest - 1, 2097152), 1044480);
    assert_int_equal(div_round_up(largest + 1, 2097152), 1044481);
    assert_int_equal(round_up(largest - 511, 512), largest);
    assert_int_equal(round_up((UINT64_C(1) << 62) + 1, 512), (UINT64_C(1) << 62) + 512);
}

static void agrees_with_counting(void **state)
{
    (void)state;
    for (uint64_t step = 1; step <= 40; step++) {
        for (uint64_t n = 0; n <= 200; n++) {
            uint64_t steps = 0;
            while (steps * step < n) {
                steps++;
            }
            assert_int_equal(div_round_up(n, step), steps);
            assert_int_equal(round_up(n, step), steps * step);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(division_rounds_up),
        cmocka_unit_test(multiples_stay_and_others_go_up),
        cmocka_unit_test(the_largest_disk_does_not_wrap),
        cmocka_unit_test(agrees_with_counting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
