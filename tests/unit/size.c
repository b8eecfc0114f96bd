/* SPDX-License-Identifier: MIT */
/*
 * If this fails, a user gets a disk of another size than requested, or an allowed size is refused.
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

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static const uint64_t untouched = UINT64_C(0x5A5A5A5A5A5A5A5A);

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

static void assert_refused_bytes(const char *word, size_t len, enum vhd_result expected)
{
    struct vhd_verdict verdict;
    uint64_t size = untouched;

    memset(&verdict, '#', sizeof verdict);
    assert_int_equal(vhd_size_parse(word, len, &size, &verdict), expected);
    assert_int_equal(verdict.result, expected);
    assert_sentence(verdict.sentence);
    assert_int_equal(vhd_size_parse(word, len, &size, NULL), expected);
    assert_int_equal(size, untouched);
}

static void assert_refused(const char *word, enum vhd_result expected)
{
    assert_refused_bytes(word, strlen(word), expected);
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

static void nothing_else_is_a_unit(void **state)
{
    (void)state;
    const char *const words[] = {"", "K", "KB", "P", "BB", "MM", "Mi", "iB", "MiBs", "dynamic"};

    for (size_t i = 0; i < LENGTH(words); i++)
        assert_false(vhd_size_is_unit(words[i], strlen(words[i])));
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

/* A size that would need rounding is refused: no user gets another size than requested. */
static void fractions_that_are_not_exact_are_refused(void **state)
{
    (void)state;
    const char *const words[] = {
        "1.3G",
        "1.1T",
        "3.1M",
        "3.0001M",
        "1.00000000000000000000000000000000000000000000000000000000000000000000000000001G",
        "1.33333333333333333333333333333333333333333333333333333333333333333333333333333T",
        "3145728.5B",
        "4096.000244140625M", /* 256 bytes too many */
    };

    for (size_t i = 0; i < LENGTH(words); i++)
        assert_refused(words[i], VHD_INVALID_ARGUMENT);
}

static void a_fraction_needs_a_unit(void **state)
{
    (void)state;
    const char *const words[] = {"4.5", "4096.0", "0.5", "1.5", "2088960.5"};

    for (size_t i = 0; i < LENGTH(words); i++)
        assert_refused(words[i], VHD_INVALID_ARGUMENT);
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

static void each_refusal_shows_the_word_and_an_example(void **state)
{
    (void)state;
    const char *const words[] = {"x",    "0",   "-1",  "4096K",  "4,096",   "4.5",
                                 "1.3G", "2",   "2M",  "3T",     "9999999", "4 096",
                                 "5.G",  ".5G", "4e3", "0x1000", "1,5G"};

    for (size_t i = 0; i < LENGTH(words); i++) {
        struct vhd_verdict verdict;
        uint64_t size;
        assert_int_not_equal(vhd_size_parse(words[i], strlen(words[i]), &size, &verdict), VHD_OK);
        assert_non_null(strstr(verdict.sentence, words[i]));
        assert_non_null(strstr(verdict.sentence, "write "));
        if (!strstr(verdict.sentence, "at most"))
            assert_non_null(strstr(verdict.sentence, "such as"));
    }
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

static void below_3_mb_is_too_small(void **state)
{
    (void)state;
    const char *const words[] = {"1",
                                 "2",
                                 "1M",
                                 "2M",
                                 "002",
                                 "512B",
                                 "3145216B",
                                 "2097152B",
                                 "2.9999999M",
                                 "0.001G",
                                 "0.000000000001T",
                                 "2 mb"};

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_SIZE_TOO_SMALL);
    }
}

static void above_2088960_mb_is_too_large(void **state)
{
    (void)state;
    const char *const words[] = {
        "2088961", "2088961M",   "2041G",      "2T",      "3T",     "2190433321472B",
        "9999999", "4294967296", "4294967299", "2040.5G", "1.993T", "2041 gb",
    };

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_SIZE_TOO_LARGE);
    }
}

/* Numbers that 64 bits cannot hold; some would wrap to an allowed size. */
static void beyond_64_bits_is_too_large(void **state)
{
    (void)state;
    const char *const words[] = {
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "18446744073709551619", /* 2^64 + 3 */
        "18446744073709555712", /* 2^64 + 4096 */
        "17592186044416",       /* 2^64 bytes */
        "17592186044419",       /* 2^64 bytes and 3 MB */
        "17592186048512",       /* 2^64 bytes and 4096 MB */
        "17592186048512M",
        "17179869188G",          /* 2^64 bytes and 4 GB */
        "16777217T",             /* 2^64 bytes and 1 TB */
        "18446744073709551104B", /* the last multiple of 512 */
        "18446744073709551616B",
        "18446744078004518912B", /* 2^64 + 4096 MB */
        "184467440737095516160000000000000000004096",
        "18446744073709551615T",
    };

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_SIZE_TOO_LARGE);
    }
}

static void any_length_of_number_is_judged(void **state)
{
    (void)state;
    static char word[4096];

    memset(word, '9', sizeof word);
    assert_refused_bytes(word, 300, VHD_SIZE_TOO_LARGE);
    assert_refused_bytes(word, sizeof word, VHD_SIZE_TOO_LARGE);
    memset(word, '0', sizeof word);
    assert_refused_bytes(word, sizeof word, VHD_INVALID_ARGUMENT);
    memset(word, 'x', sizeof word);
    assert_refused_bytes(word, sizeof word, VHD_INVALID_ARGUMENT);
}

static void zero_is_no_size(void **state)
{
    (void)state;
    const char *const words[] = {"0", "00", "0M", "0G", "0T", "0B", "-0", "0.0G", "0 MB"};

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_INVALID_ARGUMENT);
    }
}

static void signs_are_no_size(void **state)
{
    (void)state;
    const char *const words[] = {
        "-1",
        "-4096",
        "+4096",
        "--4096",
        "+",
        "-",
        "4096-",
        "4096+",
        "-9223372036854775808",
        "-18446744073709547520", /* 4096 in 64 bits */
    };

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_INVALID_ARGUMENT);
    }
}

static void junk_is_no_size(void **state)
{
    (void)state;
    const char *const words[] = {
        "",           "M",        "G",      "T",       "B",      "MB",
        "x",          "abc",      "4096x",  "x4096",   "4096MM", "4096K",
        "4096KB",     "4P",       "4096 ",  " 4096",   "4 096",  "4,096",
        "4.",         ".5G",      "5.G",    ".",       ".G",     "1..5G",
        "1.5.2G",     "0x1000",   "4e3",    "1/2",     "1,5G",   "4096\n",
        "4096\t",     "\t4096",   "0b11",   "M4096",   "4096:",  "4096/",
        "4096M ",     "4096 M B", "4096Mi", "4096\nM", "1.5 .G", "\uFF14\uFF10\uFF19\uFF16",
        "4096\u00A0",
    };

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_INVALID_ARGUMENT);
    }
    assert_refused_bytes("4096\0", 5, VHD_INVALID_ARGUMENT);
    assert_refused_bytes("40\0"
                         "96",
                         5, VHD_INVALID_ARGUMENT);
    assert_refused_bytes("\0"
                         "4096",
                         5, VHD_INVALID_ARGUMENT);
}

/* In the status a sentence is one line, whatever the request was. */
static void junk_does_not_get_into_the_sentence(void **state)
{
    (void)state;
    const char *const words[] = {"4096\r\nstate completed", "\xFF\xFE", "4096\x80", "\x1B[2J"};

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_INVALID_ARGUMENT);
    }
}

/* A long word is quoted without cutting a character in two. */
static void a_long_word_is_quoted_in_whole_characters(void **state)
{
    (void)state;
    for (size_t lead = 0; lead < 4; lead++) {
        char word[1000] = "xxx";
        for (size_t at = lead; at + 4 < sizeof word; at += 4) {
            memcpy(word + at, "\U0001F600", 5);
        }
        assert_refused(word, VHD_INVALID_ARGUMENT);
    }
}

static void bytes_come_in_whole_sectors(void **state)
{
    (void)state;
    const char *const words[] = {"3145729B", "3146239B", "4294967297B", "2190433320959B"};

    for (size_t i = 0; i < LENGTH(words); i++) {
        assert_refused(words[i], VHD_INVALID_ARGUMENT);
    }
}

static void numbers_of_mb_have_the_same_limits(void **state)
{
    (void)state;
    const struct {
        int64_t mb;
        enum vhd_result result;
    } cases[] = {
        {INT64_MIN, VHD_INVALID_ARGUMENT},
        {-4096, VHD_INVALID_ARGUMENT},
        {-1, VHD_INVALID_ARGUMENT},
        {0, VHD_INVALID_ARGUMENT},
        {1, VHD_SIZE_TOO_SMALL},
        {2, VHD_SIZE_TOO_SMALL},
        {3, VHD_OK},
        {4096, VHD_OK},
        {2088960, VHD_OK},
        {2088961, VHD_SIZE_TOO_LARGE},
        {INT64_C(17592186044419), VHD_SIZE_TOO_LARGE}, /* 2^64 bytes and 3 MB */
        {INT64_MAX, VHD_SIZE_TOO_LARGE},
    };

    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct vhd_verdict verdict;
        memset(&verdict, '#', sizeof verdict);
        assert_int_equal(vhd_size_judge_mb(cases[i].mb, &verdict), cases[i].result);
        if (cases[i].result != VHD_OK) {
            assert_int_equal(verdict.result, cases[i].result);
            assert_sentence(verdict.sentence);
        }
        assert_int_equal(vhd_size_judge_mb(cases[i].mb, NULL), cases[i].result);
    }
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
        cmocka_unit_test(nothing_else_is_a_unit),
        cmocka_unit_test(fractions_of_a_unit_are_exact),
        cmocka_unit_test(fractions_that_are_not_exact_are_refused),
        cmocka_unit_test(a_fraction_needs_a_unit),
        cmocka_unit_test(a_refusal_of_an_inexact_size_offers_an_exact_one),
        cmocka_unit_test(each_refusal_shows_the_word_and_an_example),
        cmocka_unit_test(leading_zeros_mean_nothing),
        cmocka_unit_test(the_word_is_not_terminated),
        cmocka_unit_test(below_3_mb_is_too_small),
        cmocka_unit_test(above_2088960_mb_is_too_large),
        cmocka_unit_test(beyond_64_bits_is_too_large),
        cmocka_unit_test(any_length_of_number_is_judged),
        cmocka_unit_test(zero_is_no_size),
        cmocka_unit_test(signs_are_no_size),
        cmocka_unit_test(junk_is_no_size),
        cmocka_unit_test(junk_does_not_get_into_the_sentence),
        cmocka_unit_test(a_long_word_is_quoted_in_whole_characters),
        cmocka_unit_test(bytes_come_in_whole_sectors),
        cmocka_unit_test(numbers_of_mb_have_the_same_limits),
        cmocka_unit_test(sizes_are_written_in_mb_or_bytes),
        cmocka_unit_test(a_written_size_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
