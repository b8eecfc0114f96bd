/* SPDX-License-Identifier: MIT */
/*
 * If this failed, sectors of a partly written block would count as written or as not written, and
 * read as wrong data.
 */
#include "format/bitmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sample.h"

static uint32_t run(const uint8_t *bits, uint32_t first, uint32_t end, bool is_set)
{
    bool got = !is_set;
    uint32_t length = vhd_bitmap_run(bits, first, end, &got);
    assert_int_equal(got, is_set);
    return length;
}

/* VHD specification 1.0: bit order within a byte. BLKTAP 0.1 had it the other way round. */
static void the_first_sector_is_the_highest_bit(void **state)
{
    (void)state;
    const uint8_t bits[] = {0x80, 0x01};

    assert_int_equal(run(bits, 0, 16, true), 1);
    assert_int_equal(run(bits, 1, 16, false), 14);
    assert_int_equal(run(bits, 15, 16, true), 1);
}

static void a_run_ends_at_the_given_end(void **state)
{
    (void)state;
    uint8_t ones[512], none[512] = {0};

    memset(ones, 0xFF, sizeof ones);
    for (uint32_t first = 0; first < 140; first++) {
        for (uint32_t end = first + 1; end <= 300; end++) {
            assert_int_equal(run(ones, first, end, true), end - first);
            assert_int_equal(run(none, first, end, false), end - first);
        }
    }
    assert_int_equal(run(ones, 0, 4096, true), 4096);
    assert_int_equal(run(none, 4095, 4096, false), 1);
}

/* The bytes behind the end may not exist; memory checkers watch this test. */
static void no_byte_behind_the_end_is_read(void **state)
{
    (void)state;
    for (uint32_t end = 1; end <= 200; end++) {
        size_t len = (end + 7) / 8;
        uint8_t *bits = malloc(len);
        assert_non_null(bits);
        memset(bits, 0xFF, len);
        for (uint32_t first = 0; first < end; first++)
            assert_int_equal(run(bits, first, end, true), end - first);
        free(bits);
    }
}

static void one_bit_ends_a_run_wherever_it_is(void **state)
{
    (void)state;
    enum { BITS = 328 };

    for (uint32_t odd = 1; odd < BITS; odd++) {
        for (int value = 0; value < 2; value++) {
            uint8_t bits[BITS / 8];
            memset(bits, value ? 0xFF : 0, sizeof bits);
            bits[odd / 8] ^= (uint8_t)(0x80 >> odd % 8);
            for (uint32_t first = odd < 90 ? 0 : odd - 90; first < odd; first++)
                assert_int_equal(run(bits, first, BITS, value), odd - first);
            assert_int_equal(run(bits, odd, BITS, !value), 1);
        }
    }
}

/* Runs laid end to end are the bitmap again. */
static void runs_are_the_whole_bitmap(void **state)
{
    (void)state;
    enum { BITS = 1024 };
    uint64_t seed = 12;

    for (int times = 0; times < 500; times++) {
        uint8_t bits[BITS / 8];
        for (size_t i = 0; i < sizeof bits; i++) {
            uint64_t random = sample_random(&seed);
            bits[i] = random & 0x100 ? (uint8_t)random : random & 0x200 ? 0xFF : 0;
        }
        for (uint32_t at = 0, length; at < BITS; at += length) {
            bool is_set;
            length = vhd_bitmap_run(bits, at, BITS, &is_set);
            assert_in_range(length, 1, BITS - at);
            for (uint32_t i = at; i < at + length; i++)
                assert_int_equal(bits[i / 8] >> (7 - i % 8) & 1, is_set);
            if (at + length < BITS)
                assert_int_not_equal(bits[(at + length) / 8] >> (7 - (at + length) % 8) & 1,
                                     is_set);
        }
    }
}

static void a_byte_is_a_subblock(void **state)
{
    (void)state;
    assert_int_equal(VHD_SUBBLOCK, 8 * 512);
}

static void bits_are_turned_round_byte_by_byte(void **state)
{
    (void)state;
    uint8_t bits[258];

    for (unsigned i = 0; i < sizeof bits; i++)
        bits[i] = (uint8_t)i;
    vhd_bitmap_reverse(bits, 257);
    for (unsigned i = 0; i < 257; i++) {
        for (unsigned bit = 0; bit < 8; bit++)
            assert_int_equal(bits[i] >> bit & 1, i >> (7 - bit) & 1);
    }
    assert_int_equal(bits[257], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_sector_is_the_highest_bit),
        cmocka_unit_test(a_run_ends_at_the_given_end),
        cmocka_unit_test(no_byte_behind_the_end_is_read),
        cmocka_unit_test(one_bit_ends_a_run_wherever_it_is),
        cmocka_unit_test(runs_are_the_whole_bitmap),
        cmocka_unit_test(a_byte_is_a_subblock),
        cmocka_unit_test(bits_are_turned_round_byte_by_byte),
    };
    return cmocka_run_group_tests_name("bitmap", tests, NULL, NULL);
}
