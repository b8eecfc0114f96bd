/* SPDX-License-Identifier: MIT */
/*
 * If this fails, other programs reject the images that we write as damaged, and we reject theirs.
 */
#include "format/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void nothing_sums_to_all_ones(void **state)
{
    (void)state;
    uint8_t bytes[512] = {0};

    assert_int_equal(vhd_checksum(bytes, sizeof bytes, 64), 0xFFFFFFFF);
}

static void it_is_the_complement_of_the_sum(void **state)
{
    (void)state;
    uint8_t bytes[512] = {1, 2, 3};
    bytes[511] = 250;

    assert_int_equal(vhd_checksum(bytes, sizeof bytes, 64), 0xFFFFFFFF - 256);
}

/* Signed bytes would give another sum: a bug that other writers had. */
static void bytes_are_unsigned(void **state)
{
    (void)state;
    uint8_t bytes[512];
    memset(bytes, 0xFF, sizeof bytes);

    assert_int_equal(vhd_checksum(bytes, sizeof bytes, 64), 0xFFFFFFFF - 508 * 255);
}

static void the_checksum_itself_does_not_count(void **state)
{
    (void)state;
    uint8_t bytes[64];

    for (size_t at = 0; at + 4 <= sizeof bytes; at++) {
        memset(bytes, 1, sizeof bytes);
        memset(bytes + at, 0xA5, 4);
        assert_int_equal(vhd_checksum(bytes, sizeof bytes, at), 0xFFFFFFFF - 60);
    }
}

static void its_neighbours_count(void **state)
{
    (void)state;
    uint8_t bytes[512] = {0};
    bytes[63] = 3;
    assert_int_equal(vhd_checksum(bytes, sizeof bytes, 64), 0xFFFFFFFF - 3);
    bytes[68] = 5;
    assert_int_equal(vhd_checksum(bytes, sizeof bytes, 64), 0xFFFFFFFF - 8);
}

static void the_bytes_are_left_alone(void **state)
{
    (void)state;
    uint8_t bytes[1024], before[1024];
    for (size_t i = 0; i < sizeof bytes; i++) {
        before[i] = bytes[i] = (uint8_t)(i * 31);
    }

    vhd_checksum(bytes, sizeof bytes, 36);
    assert_memory_equal(bytes, before, sizeof bytes);
}

/* The header of an empty dynamic disk of 4096 MB, added up by hand. */
static void a_known_header(void **state)
{
    (void)state;
    uint8_t bytes[1024] = "cxsparse\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF";
    bytes[22] = 0x06; /* table at 1536 */
    bytes[25] = 0x01; /* version 1.0 */
    bytes[30] = 0x08; /* 2048 entries */
    bytes[33] = 0x20; /* blocks of 2 MiB */

    assert_int_equal(vhd_checksum(bytes, sizeof bytes, 36), 0xFFFFF46F);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_sums_to_all_ones),
        cmocka_unit_test(it_is_the_complement_of_the_sum),
        cmocka_unit_test(bytes_are_unsigned),
        cmocka_unit_test(the_checksum_itself_does_not_count),
        cmocka_unit_test(its_neighbours_count),
        cmocka_unit_test(the_bytes_are_left_alone),
        cmocka_unit_test(a_known_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
