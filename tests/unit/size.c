/* SPDX-License-Identifier: MIT */
/*
 * If this failed, a user would get a disk of another size than requested.
 */
#include "request/size.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentence.h"
#include "size.h"

static void assert_size(const char *word, uint64_t bytes)
{
    struct vhd_verdict verdict;
    uint64_t size = untouched;

    assert_int_equal(vhd_size_parse(word, strlen(word), &size, &verdict), VHD_OK);
    assert_int_equal(size, bytes);
    size = untouched;
    assert_int_equal(vhd_size_parse(word, strlen(word), &size, NULL), VHD_OK);
    assert_int_equal(size, bytes);
}

static void a_plain_number_counts_mb(void **state)
{
    (void)state;
    assert_size("3", 3145728);
    assert_size("4", 4194304);
    assert_size("10", 10485760);
    assert_size("4096", UINT64_C(4294967296));
    assert_size("2088959", UINT64_C(2190432272384));
    assert_size("2088960", UINT64_C(2190433320960));
}

static void units_count_powers_of_1024(void **state)
{
    (void)state;
    assert_size("3M", 3145728);
    assert_size("4096M", UINT64_C(4294967296));
    assert_size("2088960M", UINT64_C(2190433320960));
    assert_size("1G", 1073741824);
    assert_size("4G", UINT64_C(4294967296));
    assert_size("2040G", UINT64_C(2190433320960));
    assert_size("1T", UINT64_C(1099511627776));
    assert_size("3145728B", 3145728);
    assert_size("3146240B", 3146240);
    assert_size("2190433320960B", UINT64_C(2190433320960));
    assert_size("2190433320448B", UINT64_C(2190433320448));
}

static void each_unit_has_its_long_forms_in_any_case(void **state)
{
    (void)state;
    const struct {
        const char *unit;
        uint64_t bytes;
    } units[] = {
        {"B", 1},
        {"b", 1},
        {"M", 1 << 20},
        {"m", 1 << 20},
        {"MB", 1 << 20},
        {"mb", 1 << 20},
        {"Mb", 1 << 20},
        {"MiB", 1 << 20},
        {"mib", 1 << 20},
        {"MIB", 1 << 20},
        {"G", 1 << 30},
        {"g", 1 << 30},
        {"GB", 1 << 30},
        {"gB", 1 << 30},
        {"GiB", 1 << 30},
        {"gib", 1 << 30},
        {"T", 1ULL << 40},
        {"t", 1ULL << 40},
        {"TB", 1ULL << 40},
        {"tb", 1ULL << 40},
        {"TiB", 1ULL << 40},
        {"tIb", 1ULL << 40},
    };

    for (size_t i = 0; i < LENGTH(units); i++) {
        const char *number = units[i].bytes == 1            ? "3145728"
                             : units[i].bytes == 1ULL << 40 ? "1"
                                                            : "64";
        const char *const between[] = {"", " ", "\t", "  \t "};
        for (size_t j = 0; j < LENGTH(between); j++) {
            char text[64];
            snprintf(text, sizeof text, "%s%s%s", number, between[j], units[i].unit);
            assert_size(text, strtoull(number, NULL, 10) * units[i].bytes);
        }
        assert_true(vhd_size_is_unit(units[i].unit, strlen(units[i].unit)));
    }
}

static void fractions_of_a_unit_are_exact(void **state)
{
    (void)state;
    assert_size("1.5G", 1610612736);
    assert_size("1.5 GiB", 1610612736);
    assert_size("0.5T", UINT64_C(549755813888));
    assert_size("4.0G", UINT64_C(4294967296));
    assert_size("3.5M", 3670016);
    assert_size("3.00048828125M", 3146240); /* 3 MB and a sector */
    assert_size("0.0029296875G", 3145728);
    assert_size("1.9921875T", UINT64_C(2190433320960)); /* the largest */
    assert_size("3145728.0B", 3145728);
    assert_size("1.50000000000000000000000000000000000000000000000000000000000000000000000000000G",
                1610612736);
}

/* The sentence offers a size near by that is exact. */
static void a_refusal_of_an_inexact_size_offers_an_exact_one(void **state)
{
    (void)state;
    struct vhd_verdict verdict;
    uint64_t size;

    assert_int_equal(vhd_size_parse("1.3G", 4, &size, &verdict), VHD_INVALID_ARGUMENT);
    assert_non_null(strstr(verdict.sentence, "1395864064B"));
    assert_size("1395864064B", 1395864064);
}

static void leading_zeros_mean_nothing(void **state)
{
    (void)state;
    char word[301];

    assert_size("0004096", UINT64_C(4294967296));
    assert_size("010", 10485760);
    assert_size("003M", 3145728);
    memset(word, '0', sizeof word);
    word[299] = '5';
    word[300] = '\0';
    assert_size(word, 5242880);
}

static void the_word_is_not_terminated(void **state)
{
    (void)state;
    struct vhd_verdict verdict;
    uint64_t size = 0;

    assert_int_equal(vhd_size_parse("40967", 4, &size, &verdict), VHD_OK);
    assert_int_equal(size, UINT64_C(4294967296));
    assert_int_equal(vhd_size_parse("4096T", 4, &size, &verdict), VHD_OK);
    assert_int_equal(size, UINT64_C(4294967296));
    assert_int_equal(vhd_size_parse((const char[]){'4', 'G'}, 2, &size, &verdict), VHD_OK);
    assert_int_equal(size, UINT64_C(4294967296));
}

static void assert_written(uint64_t bytes, const char *expected)
{
    struct {
        char text[VHD_SIZE_TEXT];
        char behind[8];
    } buf;

    memset(&buf, '#', sizeof buf);
    vhd_size_format(bytes, buf.text);
    assert_string_equal(buf.text, expected);
    assert_memory_equal(buf.behind, "########", 8);
}

static void sizes_are_written_in_mb_or_bytes(void **state)
{
    (void)state;
    assert_written(0, "0");
    assert_written(1048576, "1");
    assert_written(3145728, "3");
    assert_written(UINT64_C(4294967296), "4096");
    assert_written(UINT64_C(2190433320960), "2088960");
    assert_written(3146240, "3146240B");
    assert_written(UINT64_C(4294967296) - 512, "4294966784B");
    assert_written(512, "512B");
    assert_written(UINT64_MAX, "18446744073709551615B");
}

static void a_written_size_is_read_back(void **state)
{
    (void)state;
    const uint64_t largest = UINT64_C(2190433320960);

    for (uint64_t bytes = 3145728; bytes <= largest; bytes += bytes / 7 / 512 * 512) {
        char text[VHD_SIZE_TEXT];
        vhd_size_format(bytes, text);
        assert_size(text, bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_number_counts_mb),
        cmocka_unit_test(units_count_powers_of_1024),
        cmocka_unit_test(each_unit_has_its_long_forms_in_any_case),
        cmocka_unit_test(fractions_of_a_unit_are_exact),
        cmocka_unit_test(a_refusal_of_an_inexact_size_offers_an_exact_one),
        cmocka_unit_test(leading_zeros_mean_nothing),
        cmocka_unit_test(the_word_is_not_terminated),
        cmocka_unit_test(sizes_are_written_in_mb_or_bytes),
        cmocka_unit_test(a_written_size_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
