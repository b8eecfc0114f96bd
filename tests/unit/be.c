/* SPDX-License-Identifier: MIT */
/*
 * If this fails, numbers in the images that we write have their bytes in the wrong order, and no
 * other program opens them.
 */
#include "base/be.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void sixteen_bits_lie_high_byte_first(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x20, 0x82};
    struct be16 be = be16_of(0x2082);

    assert_memory_equal(be.bytes, bytes, sizeof bytes);
    assert_int_equal(be16_get(be), 0x2082);
}

static void thirty_two_bits_lie_high_byte_first(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x57, 0x69, 0x32, 0x6B};
    struct be32 be = be32_of(0x5769326B);

    assert_memory_equal(be.bytes, bytes, sizeof bytes);
    assert_int_equal(be32_get(be), 0x5769326B);
}

static void sixty_four_bits_lie_high_byte_first(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF};
    struct be64 be = be64_of(UINT64_C(0x0123456789ABCDEF));

    assert_memory_equal(be.bytes, bytes, sizeof bytes);
    assert_int_equal(be64_get(be), UINT64_C(0x0123456789ABCDEF));
}

static void extremes_come_back(void **state)
{
    (void)state;
    assert_int_equal(be16_get(be16_of(0)), 0);
    assert_int_equal(be16_get(be16_of(UINT16_MAX)), UINT16_MAX);
    assert_int_equal(be32_get(be32_of(0)), 0);
    assert_int_equal(be32_get(be32_of(UINT32_MAX)), UINT32_MAX);
    assert_int_equal(be64_get(be64_of(0)), 0);
    assert_int_equal(be64_get(be64_of(UINT64_MAX)), UINT64_MAX);

    for (unsigned int bit = 0; bit < 64; bit++) {
        assert_int_equal(be64_get(be64_of(UINT64_C(1) << bit)), UINT64_C(1) << bit);
    }
}

/* The on-disk structures rely on it: no padding between these, wherever they lie. */
static void takes_no_padding_and_no_alignment(void **state)
{
    (void)state;
    struct mixed {
        uint8_t before;
        struct be16 two;
        struct be32 four;
        struct be64 eight;
        uint8_t behind;
    };

    assert_int_equal(offsetof(struct mixed, two), 1);
    assert_int_equal(offsetof(struct mixed, four), 3);
    assert_int_equal(offsetof(struct mixed, eight), 7);
    assert_int_equal(offsetof(struct mixed, behind), 15);
    assert_int_equal(sizeof(struct mixed), 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixteen_bits_lie_high_byte_first),
        cmocka_unit_test(thirty_two_bits_lie_high_byte_first),
        cmocka_unit_test(sixty_four_bits_lie_high_byte_first),
        cmocka_unit_test(extremes_come_back),
        cmocka_unit_test(takes_no_padding_and_no_alignment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
