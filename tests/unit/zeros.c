/* SPDX-License-Identifier: MIT */
/*
 * If this failed, data would count as zeros and not be written, or zeros would use space.
 */
#include "base/zeros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { LENGTH = 70 };

static void nothing_is_nothing_but_zeros(void **state)
{
    (void)state;
    assert_true(is_zeros("x", 0));
}

static void zeros_are_zeros(void **state)
{
    (void)state;
    static const char zeros[1 << 20];

    for (size_t len = 0; len <= LENGTH; len++)
        assert_true(is_zeros(zeros, len));
    assert_true(is_zeros(zeros, sizeof zeros));
    assert_true(is_zeros(zeros + 3, sizeof zeros - 3));
}

/* At any length, in any place of the range, any bit of any byte counts. */
static void one_byte_is_enough(void **state)
{
    (void)state;
    unsigned char buf[LENGTH + 8] = {0};

    for (size_t lead = 0; lead < 8; lead++) {
        for (size_t len = 1; len <= LENGTH; len++) {
            for (size_t at = 0; at < len; at++) {
                buf[lead + at] = (unsigned char)(1 << at % 8);
                assert_false(is_zeros(buf + lead, len));
                buf[lead + at] = 0;
            }
        }
    }
}

/* Bytes that repeat every sixteen are not zeros because of that. */
static void a_pattern_is_not_zeros(void **state)
{
    (void)state;
    unsigned char buf[256];

    for (size_t period = 1; period <= 32; period++) {
        for (size_t i = 0; i < sizeof buf; i++)
            buf[i] = i % period == period - 1;
        assert_false(is_zeros(buf, sizeof buf));
    }
}

static void bytes_around_the_range_do_not_count(void **state)
{
    (void)state;
    unsigned char buf[LENGTH];

    memset(buf, 0xFF, sizeof buf);
    memset(buf + 20, 0, 30);
    assert_true(is_zeros(buf + 20, 30));
    assert_false(is_zeros(buf + 19, 31));
    assert_false(is_zeros(buf + 20, 31));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_nothing_but_zeros),
        cmocka_unit_test(zeros_are_zeros),
        cmocka_unit_test(one_byte_is_enough),
        cmocka_unit_test(a_pattern_is_not_zeros),
        cmocka_unit_test(bytes_around_the_range_do_not_count),
    };
    return cmocka_run_group_tests_name("zeros", tests, NULL, NULL);
}
